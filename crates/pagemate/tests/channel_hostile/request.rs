//! The threads that send requests and respond to them.

use std::path::Path;
use std::time::Duration;

use pagemate::channel::request::{Client, RequestError, Server};
use pagemate::channel::{RecvError, SendError};

use super::attack::{Attack, Random};
use super::endpoints::{received, sent};
use super::options;
use super::users::{self, NAME, Outcome, User, Users};

const MOMENT: Duration = Duration::from_millis(2);

/// The most calls with one endpoint.
const CALLS: u64 = 300;

/// Runs clients, servers and the hostile process, which overwrites the channel of the requests.
pub(crate) fn overwrite_requests(place: &Path) {
    overwrite(&Users::new(true), Attack::new(place));
}

/// Runs clients, servers and the hostile process, which overwrites the channels of responses.
pub(crate) fn overwrite_responses(place: &Path) {
    // Each client creates the channel of its responses.
    let users = Users::new(true).that_open_new_channels();
    overwrite(&users, Attack::on(place, "c.client-"));
}

fn overwrite(users: &Users, attack: Attack) {
    users.run(attack, |scope| {
        for _ in 0..2 {
            users.start(scope, ask);
            users.start(scope, serve);
        }
        users.start(scope, users::list);
    });
    let mut client: Client<[u8], [u8]> = options().open_or_create(NAME).unwrap();
    let mut server: Server<[u8], [u8]> = options().open(NAME).unwrap();
    client.send(&[1]).unwrap();
    server.recv().unwrap().respond(&[2]).unwrap();
    assert_eq!(client.recv().unwrap().response, Ok(vec![2]));
}

fn ask(user: &User<'_>, random: &mut Random) {
    while user.goes_on() {
        let opened = user.open(|| options().open_or_create::<Client<[u8], [u8]>>(NAME));
        let Some(mut client) = opened else { continue };
        for _ in 0..random.below(CALLS) {
            let outcome = ask_once(&mut client, user, random);
            if !user.goes_on() || outcome == Outcome::Corrupted && random.below(2) == 0 {
                break;
            }
        }
        user.call("drop client", || drop(client));
    }
}

fn ask_once(client: &mut Client<[u8], [u8]>, user: &User<'_>, random: &mut Random) -> Outcome {
    let len = random.below(100);
    let request = random.bytes(len.try_into().unwrap());
    match random.below(8) {
        0..6 => {
            let called = user.call("call_timeout", || client.call_timeout(&request, MOMENT));
            completed(user, &called.map(drop))
        }
        6 => {
            user.call("has_server", || client.has_server()).unwrap();
            user.call("wait_for_server", || client.wait_for_server(MOMENT)).unwrap();
            user.call("unreceived", || client.unreceived());
            Outcome::Nothing
        }
        _ => match user.call("recv_timeout", || client.recv_timeout(MOMENT)) {
            Ok(done) => completed(user, &done.response.map(drop)),
            Err(error) => completed(user, &Err(error)),
        },
    }
}

/// Counts the result of a request.
fn completed(user: &User<'_>, result: &Result<(), RequestError>) -> Outcome {
    use RequestError::{
        Disconnected, Dropped, NoRequest, NotReceived, NotSent, ServerDied, TimedOut,
    };
    match result {
        Ok(()) => received(user, &Ok(())),
        Err(NotReceived(error)) => received(user, &Err::<(), _>(*error)),
        Err(NotSent(error)) => sent(user, &Err::<(), _>(*error)),
        Err(TimedOut | Disconnected | ServerDied | Dropped | NoRequest) => Outcome::Nothing,
        Err(error) => panic!("{error}: {error:?}"),
    }
}

fn serve(user: &User<'_>, random: &mut Random) {
    while user.goes_on() {
        let opened = user.open(|| options().open_or_create::<Server<[u8], [u8]>>(NAME));
        let Some(mut server) = opened else { continue };
        for _ in 0..random.below(CALLS) {
            let outcome = serve_once(&mut server, user, random);
            if !user.goes_on() || outcome == Outcome::Corrupted && random.below(2) == 0 {
                break;
            }
        }
        user.call("drop server", || drop(server));
    }
}

fn serve_once(server: &mut Server<[u8], [u8]>, user: &User<'_>, random: &mut Random) -> Outcome {
    let request = match user.call("recv_timeout", || server.recv_timeout(MOMENT)) {
        Ok(request) => request,
        Err(error) => return received(user, &Err::<(), RecvError>(error)),
    };
    if random.below(8) == 0 {
        user.call("is_client_alive", || request.is_client_alive()).unwrap();
    }
    if random.below(8) == 0 {
        user.call("drop request", || drop(request));
        return Outcome::Nothing;
    }
    let len = request.message().len().min(50);
    match user.call("respond", || request.respond(&vec![3; len])) {
        // The header of the channel of responses may have a smaller length.
        Err(SendError::WrongLength) => Outcome::Nothing,
        result => sent(user, &result),
    }
}
