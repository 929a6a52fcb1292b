//! Requests and responses, between the threads of one process and between processes.

#![allow(clippy::print_stdout, reason = "a count of deaths")]

mod harness;

use std::env;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::unique;
use pagemate::channel::request::{Client, RequestError, Server};
use pagemate::channel::{Options, RecvError, SendError};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

/// The variable that makes this process a server: the name, and the number of requests that it answers before
/// it waits to be killed.
const ROLE: &str = "PAGEMATE_TEST_SERVER";

#[test]
fn responses_return_to_the_client_of_the_request_in_the_order_of_completion() {
    let name = unique("order");
    let mut clients = [(); 2].map(|()| Client::<u32, u64>::open_or_create(&name).unwrap());
    let mut server = Server::<u32, u64>::open(&name).unwrap();
    assert!(matches!(server.try_recv(), Err(RecvError::Empty)));
    let ids = [1, 2, 3].map(|number| clients[0].send(&number).unwrap());
    let other = clients[1].send(&4).unwrap();
    let mut requests: Vec<_> = (0..4).map(|_| server.recv().unwrap()).collect();
    requests.reverse();
    for request in requests {
        assert!(request.is_client_alive().unwrap());
        let response = u64::from(*request.message()) * 10;
        thread::spawn(move || request.respond(&response).unwrap()).join().unwrap();
    }
    for number in [3, 2, 1] {
        let completed = clients[0].recv_timeout(LONG).unwrap();
        assert_eq!(completed.request, ids[number - 1]);
        assert_eq!(completed.response, Ok(number as u64 * 10));
    }
    let completed = clients[1].recv().unwrap();
    assert_eq!((completed.request, completed.response), (other, Ok(40)));
    assert_eq!(clients[1].recv(), Err(RequestError::NoRequest));
}

/// On Windows the inventory does not know which objects are channels.
#[cfg(not(windows))]
#[test]
fn the_inventory_tells_the_service_of_the_channel_of_a_client() {
    let name = unique("listed");
    let _client = Client::<u32, u64>::open_or_create(&name).unwrap();
    let entries = pagemate::inventory::list().unwrap().entries;
    let service = entries.iter().find(|entry| entry.name.bare() == name).unwrap();
    assert_eq!(service.service(), None);
    let mine =
        |entry: &&pagemate::inventory::Entry| entry.service().as_ref() == Some(&service.name);
    assert_eq!(entries.iter().filter(mine).count(), 1);
}

#[test]
fn calls_of_many_clients_share_the_servers() {
    let name = &unique("share");
    let mut first = Server::<u32, u32>::open_or_create(name).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut server = Server::<u32, u32>::open(name).unwrap();
            scope.spawn(move || {
                while let Ok(request) = server.recv() {
                    let response = request.message() + 1;
                    request.respond(&response).unwrap();
                }
            });
        }
        let clients: Vec<_> = (0..3)
            .map(|client| {
                let mut client = (client * 1000, Client::<u32, u32>::open(name).unwrap());
                scope.spawn(move || {
                    for number in client.0..client.0 + 200 {
                        assert_eq!(client.1.call(&number), Ok(number + 1));
                    }
                })
            })
            .collect();
        for client in clients {
            client.join().unwrap();
        }
        // The servers end because the last client has ended.
    });
    assert!(matches!(first.recv_timeout(LONG), Err(RecvError::Disconnected)));
}

#[test]
fn bytes_of_any_length_are_requests_and_responses() {
    let name = unique("bytes");
    let mut server: Server<[u8], [u8]> = Options::new().max_len(100).open_or_create(&name).unwrap();
    let mut client: Client<[u8], [u8]> = Options::new().max_len(100).open(&name).unwrap();
    for len in [0, 1, 100] {
        client.send(&vec![7; len]).unwrap();
        let request = server.recv().unwrap();
        assert_eq!(request.message(), &vec![7; len]);
        request.respond(&vec![8; len]).unwrap();
        assert_eq!(client.recv().unwrap().response, Ok(vec![8; len]));
    }
    let error = client.send(&[7; 101]).unwrap_err();
    assert_eq!(error, RequestError::NotSent(SendError::WrongLength));
    client.send(&[7]).unwrap();
    assert_eq!(server.recv().unwrap().respond(&[8; 101]), Err(SendError::WrongLength));
    assert_eq!(client.recv().unwrap().response, Err(RequestError::Dropped));
}

#[test]
fn a_dropped_request_and_a_timeout_are_told_apart() {
    let name = unique("dropped");
    let mut server = Server::<u32, u32>::open_or_create(&name).unwrap();
    let mut client = Client::<u32, u32>::open(&name).unwrap();
    assert_eq!(client.call_timeout(&1, SHORT), Err(RequestError::TimedOut));
    assert_eq!(client.pending(), 1);
    drop(server.recv().unwrap());
    assert_eq!(client.recv().unwrap().response, Err(RequestError::Dropped));
    client.send(&2).unwrap();
    let request = server.recv().unwrap();
    drop(client);
    assert!(!request.is_client_alive().unwrap());
    assert_eq!(request.respond(&3), Err(SendError::Disconnected));
}

#[test]
fn a_server_that_leaves_fails_the_requests_that_no_server_has_received() {
    let name = unique("leaves");
    let server = Server::<u32, u32>::open_or_create(&name).unwrap();
    let mut client = Client::<u32, u32>::open(&name).unwrap();
    client.send(&1).unwrap();
    drop(server);
    assert_eq!(client.recv_timeout(LONG).unwrap().response, Err(RequestError::Disconnected));
}

#[test]
fn a_client_has_at_most_as_many_requests_as_the_channel_has_room_for() {
    let name = unique("limit");
    let mut server: Server<u32, u32> = Options::new().capacity(2).open_or_create(&name).unwrap();
    let mut client = Client::<u32, u32>::open(&name).unwrap();
    for number in 0..2 {
        client.send(&number).unwrap();
    }
    let requests = [(); 2].map(|()| server.recv().unwrap());
    assert_eq!(client.send(&2), Err(RequestError::NotSent(SendError::Full)));
    for request in requests {
        request.respond(&1).unwrap();
    }
    assert_eq!(client.recv().unwrap().response, Ok(1));
    client.send(&2).unwrap();
}

/// The main function of a server that is killed.
#[test]
fn victim() {
    let Ok(role) = env::var(ROLE) else { return };
    let (name, count) = role.split_once(' ').unwrap();
    let mut server = Server::<u32, u32>::open(name).unwrap();
    for _ in 0..count.parse::<u32>().unwrap() {
        let request = server.recv().unwrap();
        let response = request.message() + 1;
        request.respond(&response).unwrap();
    }
    let _request = server.recv().unwrap();
    loop {
        thread::park();
    }
}

struct Victim(Child);

impl Victim {
    fn start(name: &str, count: u32) -> Victim {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["victim", "--exact", "--test-threads=1", "--nocapture"])
            .stdout(Stdio::null());
        command.env(ROLE, format!("{name} {count}"));
        Victim(command.spawn().unwrap())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn the_request_of_a_killed_server_fails_and_others_go_to_the_next_server() {
    let name = unique("killed");
    let mut client: Client<u32, u32> =
        Options::new().await_successor(true).open_or_create(&name).unwrap();
    for round in 0..10 {
        let victim = Victim::start(&name, round);
        for number in 0..round {
            assert_eq!(client.call_timeout(&number, LONG), Ok(number + 1));
        }
        let id = client.send(&100).unwrap();
        // The victim has received the request as soon as the second one stays in the channel alone.
        client.send(&200).unwrap();
        assert_eq!(client.recv_timeout(SHORT), Err(RequestError::TimedOut));
        let end = Instant::now() + LONG;
        while !client.has_server().unwrap() {
            assert!(Instant::now() < end, "the victim is no server");
        }
        while client.unreceived() > 1 {
            assert!(Instant::now() < end, "the victim received nothing");
            thread::yield_now();
        }
        drop(victim);
        let completed = client.recv_timeout(LONG).unwrap();
        assert_eq!((completed.request, completed.response), (id, Err(RequestError::ServerDied)));
        let mut next = Server::<u32, u32>::open(&name).unwrap();
        let request = next.recv_timeout(LONG).unwrap();
        assert_eq!(*request.message(), 200);
        request.respond(&201).unwrap();
        assert_eq!(client.recv_timeout(LONG).unwrap().response, Ok(201));
    }
}

/// Each request completes exactly once, with its response or with the death of its server, whenever servers
/// are killed.
#[test]
fn every_request_completes_once_while_servers_are_killed() {
    const ROUNDS: u32 = 40;
    let name = unique("kills");
    let mut client: Client<u32, u32> =
        Options::new().capacity(16).await_successor(true).open_or_create(&name).unwrap();
    let mut open = std::collections::HashMap::new();
    let (mut next, mut responses, mut deaths) = (0, 0, 0);
    let mut servers = std::collections::VecDeque::new();
    for round in 0..ROUNDS {
        servers.push_back(Victim::start(&name, u32::MAX));
        if servers.len() == 3 {
            // The kill comes at any moment of the work below.
            drop(servers.pop_front());
        }
        let end = Instant::now() + Duration::from_micros(u64::from(round) * 7919 % 5000);
        while Instant::now() < end {
            while open.len() < 16 {
                open.insert(client.send(&next).unwrap(), next);
                next += 1;
            }
            match client.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Err(error) => assert_eq!(error, RequestError::TimedOut),
                Ok(completed) => {
                    let number = open.remove(&completed.request).expect("it completes once");
                    match completed.response {
                        Ok(response) => assert_eq!(response, number + 1),
                        Err(error) => assert_eq!(error, RequestError::ServerDied),
                    }
                    *(if completed.response.is_ok() { &mut responses } else { &mut deaths }) += 1;
                }
            }
        }
    }
    while !open.is_empty() {
        let completed = client.recv_timeout(LONG).expect("the requests do not complete");
        open.remove(&completed.request).expect("it completes once");
        responses += 1;
    }
    println!("{responses} responses, {deaths} dead servers");
    assert!(responses > 0);
}

/// Children of one process have copies of its random numbers.
#[cfg(target_os = "linux")]
#[test]
fn forked_children_are_different_clients() {
    use harness::fork::{alone, fork};

    alone("forked_children_are_different_clients", |_| {
        let mut server: Server<u32, u32> = Server::open_or_create("forked").unwrap();
        let children = [1, 2].map(|number| {
            fork(|| {
                let mut client = Client::<u32, u32>::open("forked").unwrap();
                assert_eq!(client.call_timeout(&number, LONG), Ok(number + 1));
            })
        });
        for request in [(); 2].map(|()| server.recv_timeout(LONG).unwrap()) {
            let response = request.message() + 1;
            request.respond(&response).unwrap();
        }
        children.into_iter().for_each(harness::fork::Forked::join);
    });
}
