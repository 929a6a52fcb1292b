//! Endpoints of channels make no system call while no other endpoint sleeps. The kernel kills the processes of
//! these tests at their first call.
#![cfg(target_os = "linux")]

mod harness;

use std::mem::forget;
use std::time::Duration;

use harness::fork::{alone, fork};
use harness::seccomp;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::request::{Client, Server};
use pagemate::channel::spsc::Spsc;
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Kind, Options, Receiver, RecvError, SendError, Sender};
use pagemate::inventory;

/// Waits of this length are in vain. After several of them an endpoint sleeps without spinning.
const MOMENT: Duration = Duration::from_millis(1);

const WAITS: usize = 20;

const CAPACITY: usize = 8;

/// Calls `steps` in a child that is killed at its first system call. The first calls of `steps` may make some.
fn makes_no_system_call<T>(prepare: impl FnOnce() -> T, steps: impl Fn(&mut T)) {
    fork(|| {
        let mut endpoints = prepare();
        steps(&mut endpoints);
        seccomp::allow_only_exit();
        (0..100).for_each(|_| steps(&mut endpoints));
        forget(endpoints);
    })
    .join();
    // The child does not release its objects.
    inventory::prune().unwrap();
}

/// Opens both endpoints, and lets each of them wait in vain.
fn pair<K: Kind, const WORDS: usize>(
    name: &str,
    options: &mut Options,
) -> (Sender<K, [u64; WORDS]>, Receiver<K, [u64; WORDS]>) {
    let mut sender: Sender<K, [u64; WORDS]> = options.capacity(CAPACITY).create_new(name).unwrap();
    let mut receiver: Receiver<K, [u64; WORDS]> = options.open(name).unwrap();
    for _ in 0..WAITS {
        assert_eq!(receiver.recv_timeout(MOMENT), Err(RecvError::TimedOut));
    }
    while sender.try_send(&[1; WORDS]).is_ok() && sender.len() < CAPACITY {}
    for _ in 0..WAITS {
        let sent = sender.send_timeout(&[1; WORDS], MOMENT);
        assert!(matches!(sent, Ok(()) | Err(SendError::TimedOut)), "{sent:?}");
    }
    while receiver.try_recv().is_ok() {}
    (sender, receiver)
}

fn passes_messages<K: Kind, const WORDS: usize>(name: &str, options: &mut Options) {
    makes_no_system_call(
        || pair::<K, WORDS>(name, options),
        |(sender, receiver)| {
            let message = [7; WORDS];
            sender.send(&message).unwrap();
            assert_eq!(receiver.recv(), Ok(message));
            let mut loan = sender.loan().unwrap();
            loan.write(&message);
            loan.send().unwrap();
            assert_eq!(receiver.sample().unwrap().read(), message);
            drop(sender.loan().unwrap());
            sender.send_all(&[message; 2]).unwrap();
            assert_eq!(receiver.recv(), Ok(message));
            assert_eq!(receiver.try_recv(), Ok(message));
        },
    );
}

#[test]
fn messages_need_no_system_call() {
    alone("messages_need_no_system_call", |_| {
        passes_messages::<Spsc, 8>("spsc", &mut Options::new());
        passes_messages::<Spsc, 600>("spsc-large", &mut Options::new());
        passes_messages::<Mpmc, 8>("mpmc", &mut Options::new());
        passes_messages::<Mpmc, 600>("mpmc-large", &mut Options::new());
        for lossy in [false, true] {
            let mut options = Options::new();
            options.lossy(lossy);
            passes_messages::<Broadcast, 8>("broadcast", &mut options);
            passes_messages::<Broadcast, 600>("broadcast-large", &mut options);
        }
    });
}

#[test]
fn values_of_a_watch_channel_need_no_system_call() {
    alone("values_of_a_watch_channel_need_no_system_call", |_| {
        makes_no_system_call(
            || {
                let writer = Writer::<u64>::create_new("watch").unwrap();
                let mut reader = Reader::<u64>::open("watch").unwrap();
                for _ in 0..WAITS {
                    let waited = reader.wait_for_change_timeout(MOMENT);
                    assert_eq!(waited, Err(RecvError::TimedOut));
                }
                (writer, reader)
            },
            |(writer, reader)| {
                writer.write(&3).unwrap();
                assert_eq!(reader.changed(), Ok(3));
                assert_eq!(reader.read(), Ok(3));
            },
        );
    });
}

/// Clients and servers test ten times a second whether the others are alive.
#[test]
fn requests_need_no_system_call_but_for_tests_of_liveness() {
    alone("requests_need_no_system_call_but_for_tests_of_liveness", |_| {
        let is_quiet = || {
            fork(|| {
                let mut client = Client::<u64, u64>::open_or_create("request").unwrap();
                let mut server = Server::<u64, u64>::open("request").unwrap();
                let mut pass = || {
                    client.send(&1).unwrap();
                    server.recv().unwrap().respond(&2).unwrap();
                    assert_eq!(client.recv().unwrap().response, Ok(2));
                };
                pass();
                seccomp::allow_only_exit();
                (0..20).for_each(|_| pass());
                forget((client, server));
            })
            .wait()
            .success()
        };
        assert!((0..20).any(|_| is_quiet()));
        inventory::prune().unwrap();
    });
}
