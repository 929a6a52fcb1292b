//! Rounds of requests: servers die with requests in hand, or clients do.

use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Instant;

use pagemate::channel::request::{Client, Request, RequestError, RequestId, Server};
use pagemate::channel::{Options, RecvError, SendError};

use super::Rounds;
use super::scene::{Fate, LONG, MOMENT, Role, Scene, Victim};
use super::shared::NUMBERS;

const CAPACITY: usize = 16;

/// The number of servers, and of clients that die.
const SIDE: usize = 2;

/// A victim whose death is not planned.
const LIVES: Fate = Fate::Kill;

fn response_to(request: u64) -> u64 {
    request.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 1
}

fn options() -> Options {
    let mut options = Options::new();
    options.capacity(CAPACITY).await_successor(true);
    options
}

pub(crate) struct Requests {
    client: Client<u64, u64>,
}

/// Serves until its end comes, or until the round ends. Holds several requests at a time.
fn serve(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut server: Server<u64, u64> = options().open(name).expect("a place of a server is free");
    role.is_ready();
    let mut held: Vec<Request<u64, u64>> = Vec::new();
    while role.step() {
        match server.recv_timeout(10 * MOMENT) {
            Ok(request) => held.push(request),
            Err(error) => {
                assert_eq!(error, RecvError::TimedOut);
                if role.board.ends[0].load(SeqCst) != 0 && held.is_empty() {
                    return;
                }
                respond(&role, &mut held);
            }
        }
        if held.len() > role.mode % 4 {
            respond(&role, &mut held);
        }
    }
}

/// Responds to all requests, the latest first.
fn respond(role: &Role, held: &mut Vec<Request<u64, u64>>) {
    while let Some(request) = held.pop() {
        let number = *request.message();
        request.respond(&response_to(number)).expect("the client lives");
        let at = usize::try_from(number).expect("a number");
        let life = u32::try_from(role.life).expect("few lives");
        role.board.counts[0][at].store(life, SeqCst);
    }
}

/// Sends requests until its end comes.
fn ask(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut client: Client<u64, u64> = options().open(name).expect("a place of a client is free");
    role.is_ready();
    let mut open = HashMap::new();
    for number in role.life << 32.. {
        if !role.step() {
            return;
        }
        while open.len() > role.mode % CAPACITY {
            receive(&mut client, &mut open, LONG).expect("the server lives");
        }
        open.insert(client.send(&number).expect("the server lives"), number);
        role.note_done(number + 1);
    }
}

/// Receives one response, and checks it. Returns the number of the request and its failure.
fn receive(
    client: &mut Client<u64, u64>,
    open: &mut HashMap<RequestId, u64>,
    time: std::time::Duration,
) -> Result<(u64, Option<RequestError>), RequestError> {
    let completed = client.recv_timeout(time)?;
    let number = open.remove(&completed.request).expect("a request completes once");
    let failure = match completed.response {
        Ok(response) => {
            assert_eq!(response, response_to(number), "the response to another request");
            None
        }
        Err(error) => Some(error),
    };
    Ok((number, failure))
}

/// The requests of the judge in one round.
#[derive(Default)]
struct Asked {
    next: u64,
    open: HashMap<RequestId, u64>,
    /// The life of the server that dies, if it is only one. If several die, one of them may die while it receives
    /// a request, and the next one receives it again and responds to it although it has failed.
    only_dead: Option<u64>,
    died: u64,
}

impl Requests {
    pub(crate) fn new(scene: &Scene) -> Requests {
        Requests { client: options().open_or_create(&scene.name).expect("a new channel") }
    }

    /// Sends several requests if all earlier ones are completed and received, and waits for one response for a
    /// moment. With more requests this process could block behind the slot of a server that it has to continue or
    /// to replace.
    fn go_on(&mut self, scene: &mut Scene, asked: &mut Asked) {
        let is_idle = asked.open.is_empty() && self.client.unreceived() == 0;
        if is_idle && asked.next < (NUMBERS - CAPACITY) as u64 {
            for _ in 0..=scene.random.below(CAPACITY - 1) {
                asked.open.insert(self.client.send(&asked.next).expect("room"), asked.next);
                asked.next += 1;
            }
        }
        self.take(scene, asked);
    }

    fn take(&mut self, scene: &Scene, asked: &mut Asked) {
        let (number, failure) = match receive(&mut self.client, &mut asked.open, MOMENT) {
            Ok(received) => received,
            Err(RequestError::NoRequest) => return thread::sleep(MOMENT),
            Err(error) => return assert_eq!(error, RequestError::TimedOut),
        };
        scene.totals.messages.fetch_add(1, SeqCst);
        let at = usize::try_from(number).expect("a number");
        match failure {
            None | Some(RequestError::Dropped) => {}
            Some(RequestError::ServerDied) => {
                let responder = u64::from(scene.board.counts[0][at].load(SeqCst));
                assert!(
                    asked.only_dead != Some(responder),
                    "the response to {number} was sent and is lost"
                );
                asked.died += 1;
            }
            Some(error) => panic!("{error}"),
        }
    }

    fn servers_die(&mut self, scene: &mut Scene) {
        scene.board.ends[0].store(0, SeqCst);
        scene.board.counts[0].iter().for_each(|count| count.store(0, SeqCst));
        let name = scene.name.clone();
        let fates = [scene.fate(), if scene.random.below(2) == 0 { scene.fate() } else { LIVES }];
        let mut victims: Vec<Victim> =
            (0..SIDE).map(|i| scene.start(i, fates[i], |role| serve(role, &name))).collect();
        let mut asked = Asked::default();
        let dead = if fates[1] == LIVES { 1 } else { SIDE };
        asked.only_dead = (dead == 1).then(|| victims[0].life);
        for victim in &victims[..dead] {
            scene.end(
                victim,
                &mut (&mut *self, &mut asked),
                |scene, (requests, asked)| requests.go_on(scene, asked),
                |_, (requests, _)| {
                    assert!(requests.client.has_server().expect("an answer"));
                },
            );
        }
        let survivors = victims.split_off(dead);
        let successor = scene.start(2, LIVES, |role| serve(role, &name));
        let began = Instant::now();
        while !asked.open.is_empty() {
            assert!(began.elapsed() < LONG, "{:?} do not complete", asked.open);
            self.take(scene, &mut asked);
        }
        scene.note_wait(began);
        scene.totals.again.fetch_add(asked.died, SeqCst);
        scene.board.ends[0].store(1, SeqCst);
        survivors.into_iter().chain([successor]).for_each(Victim::join);
    }

    fn clients_die(scene: &mut Scene) {
        let name = scene.name.clone();
        let mut server: Server<u64, u64> = options().open(&name).expect("a place is free");
        let victims = [0, 1].map(|index| {
            let fate = scene.fate();
            scene.start(index, fate, |role| ask(role, &name))
        });
        let mut held: Option<Request<u64, u64>> = None;
        for victim in &victims {
            scene.end(
                victim,
                &mut (&mut server, &mut held),
                |scene, (server, held)| {
                    if let Ok(request) = server.recv_timeout(MOMENT) {
                        // A client that is dead does not take its response.
                        if let Some(request) = held.replace(request) {
                            let response = response_to(*request.message());
                            _ = request.respond(&response);
                        }
                        scene.totals.messages.fetch_add(1, SeqCst);
                    }
                },
                |_, _| {},
            );
        }
        if let Some(request) = held {
            assert!(!request.is_client_alive().expect("an answer"), "a dead client is alive");
            let result = request.respond(&0);
            assert!(matches!(result, Ok(()) | Err(SendError::Disconnected)), "{result:?}");
        }
    }

    /// Checks that every slot of both channels came back.
    fn fill(&mut self, scene: &mut Scene) {
        let mut server: Server<u64, u64> = options().open(&scene.name).expect("a place is free");
        let began = Instant::now();
        while self.client.unreceived() > 0 {
            assert!(began.elapsed() < LONG, "the requests of dead clients stayed");
            if let Ok(request) = server.recv_timeout(MOMENT) {
                let is_alive = request.is_client_alive().expect("an answer");
                assert!(!is_alive, "a client has more requests");
            }
        }
        let mut open = HashMap::new();
        for number in 0..CAPACITY as u64 {
            open.insert(self.client.send(&number).expect("a slot is lost"), number);
        }
        let more = self.client.send(&0);
        assert_eq!(more, Err(RequestError::NotSent(SendError::Full)));
        for number in 0..CAPACITY as u64 {
            let request = server.try_recv().expect("a request");
            assert_eq!(*request.message(), number);
            request.respond(&response_to(number)).expect("a slot is lost");
        }
        for _ in 0..CAPACITY {
            let (_, failure) = receive(&mut self.client, &mut open, LONG).expect("a response");
            assert_eq!(failure, None);
        }
        drop(server);
        if scene.random.below(64) == 0 {
            check_names(scene);
        }
    }
}

/// Checks that the channels for the responses to dead clients are gone.
fn check_names(scene: &Scene) {
    // The children of dead clients hold these channels. They end with the round.
    scene.board.round.fetch_add(1, SeqCst);
    let is_own = |entry: &pagemate::inventory::Entry| {
        entry.name.bare().strip_prefix(&scene.name).is_some_and(|rest| rest.starts_with('.'))
    };
    let end = Instant::now() + LONG;
    loop {
        let list = pagemate::inventory::list().expect("the directory").entries;
        if list.iter().filter(|entry| is_own(entry)).count() == 1 {
            return;
        }
        assert!(Instant::now() < end, "the channels of dead clients stayed");
        thread::sleep(MOMENT);
    }
}

impl Rounds for Requests {
    fn round(&mut self, scene: &mut Scene) {
        if scene.random.below(2) == 0 {
            self.servers_die(scene);
        } else {
            Requests::clients_die(scene);
        }
        self.fill(scene);
    }
}
