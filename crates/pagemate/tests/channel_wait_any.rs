//! Waits for endpoints of channels together with sync objects.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pagemate::ErrorKind;
use pagemate::channel::{Options, RecvError, mpmc, spsc, watch};
use pagemate::sync::{
    Event, EventOptions, Reset, SemaphoreOptions, try_wait_any, wait_all_for, wait_any,
    wait_any_for,
};

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(20);

fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("wait-any-{what}-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn event() -> Event {
    EventOptions::new(Reset::Auto).create_unnamed().unwrap()
}

#[test]
fn the_first_available_one_of_channels_and_objects_ends_the_wait() {
    let quit = event();
    let jobs = SemaphoreOptions::new(0, 9).create_unnamed().unwrap();
    let names = ["first", "second"].map(unique);
    let mut senders = names.clone().map(|name| spsc::Sender::<u32>::create_new(name).unwrap());
    let mut receivers = names.map(|name| spsc::Receiver::<u32>::open(name).unwrap());
    let [first, second] = &mut receivers;
    let (first_ready, second_ready) = (first.ready(), second.ready());
    let list = [(&quit).into(), (&first_ready).into(), (&second_ready).into(), (&jobs).into()];
    assert!(try_wait_any(&list).unwrap().is_none());
    assert!(wait_any_for(&list, SHORT).unwrap().is_none());
    senders[1].send(&7).unwrap();
    assert_eq!(wait_any(&list).unwrap().index, 2);
    // The wait takes no message.
    assert_eq!(try_wait_any(&list).unwrap().unwrap().index, 2);
    senders[0].send(&8).unwrap();
    assert_eq!(wait_any(&list).unwrap().index, 1);
    quit.set().unwrap();
    assert_eq!(wait_any(&list).unwrap().index, 0);
    drop((first_ready, second_ready));
    assert_eq!((first.try_recv(), second.try_recv()), (Ok(8), Ok(7)));
}

#[test]
fn a_new_receiver_of_an_empty_channel_is_not_ready() {
    let mut receiver = mpmc::Receiver::<u32>::create_new(unique("new")).unwrap();
    let ready = receiver.ready();
    assert!(try_wait_any(&[(&ready).into()]).unwrap().is_none());
}

#[test]
fn a_message_a_free_slot_and_an_event_wake_a_sleeping_thread() {
    let name = unique("sleep");
    let mut sender: spsc::Sender<u32> = Options::new().capacity(1).create_new(&name).unwrap();
    let mut receiver = spsc::Receiver::<u32>::open(&name).unwrap();
    let quit = event();
    thread::scope(|scope| {
        let quit = &quit;
        let waiter = scope.spawn(move || {
            for number in 0..100 {
                let ready = receiver.ready();
                let list = [(&ready).into(), quit.into()];
                assert_eq!(wait_any_for(&list, LONG).unwrap().unwrap().index, 0);
                drop(ready);
                assert_eq!(receiver.try_recv(), Ok(number));
            }
            let ready = receiver.ready();
            let list = [(&ready).into(), quit.into()];
            assert_eq!(wait_any_for(&list, LONG).unwrap().unwrap().index, 1);
        });
        for number in 0..100 {
            let ready = sender.ready();
            assert_eq!(wait_any_for(&[(&ready).into()], LONG).unwrap().unwrap().index, 0);
            drop(ready);
            sender.try_send(&number).unwrap();
            if number % 10 == 0 {
                thread::sleep(Duration::from_millis(2));
            }
        }
        thread::sleep(SHORT);
        quit.set().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn receivers_that_wait_for_several_things_get_every_message_of_a_shared_channel() {
    const COUNT: u32 = 300;
    let name = unique("shared");
    let mut sender = mpmc::Sender::<u32>::create_new(&name).unwrap();
    let count = AtomicU32::new(0);
    let quit = EventOptions::new(Reset::Manual).create_unnamed().unwrap();
    thread::scope(|scope| {
        let (quit, count, name) = (&quit, &count, &name);
        for _ in 0..3 {
            scope.spawn(move || {
                let mut receiver = mpmc::Receiver::<u32>::open(name).unwrap();
                loop {
                    let ready = receiver.ready();
                    let index = wait_any_for(&[(&ready).into(), quit.into()], LONG);
                    let index = index.unwrap().expect("no wake-up").index;
                    drop(ready);
                    match receiver.try_recv() {
                        Ok(_) => _ = count.fetch_add(1, Ordering::Relaxed),
                        Err(error) if index == 1 => {
                            assert_eq!(error, RecvError::Empty);
                            return;
                        }
                        Err(error) => assert_eq!(error, RecvError::Empty),
                    }
                }
            });
        }
        for number in 0..COUNT {
            sender.send(&number).unwrap();
            if number % 20 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        assert!(sender.wait_until_received(LONG).unwrap());
        quit.set().unwrap();
    });
    assert_eq!(count.into_inner(), COUNT);
}

#[test]
fn a_disconnected_endpoint_ends_the_wait() {
    let name = unique("disconnected");
    let sender = spsc::Sender::<u32>::create_new(&name).unwrap();
    let mut receiver = spsc::Receiver::<u32>::open(&name).unwrap();
    let quit = event();
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(SHORT);
            drop(sender);
        });
        let ready = receiver.ready();
        assert_eq!(wait_any(&[(&quit).into(), (&ready).into()]).unwrap().index, 1);
        drop(ready);
        assert_eq!(receiver.try_recv(), Err(RecvError::Disconnected));
    });
}

#[test]
fn a_new_value_of_a_watch_channel_ends_the_wait() {
    let name = unique("watch");
    let mut writer = watch::Writer::<u32>::create_new(&name).unwrap();
    let mut reader = watch::Reader::<u32>::open(&name).unwrap();
    for number in 1..20 {
        let ready = reader.ready();
        assert!(try_wait_any(&[(&ready).into()]).unwrap().is_none());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(1));
                writer.write(&number).unwrap();
            });
            assert_eq!(wait_any_for(&[(&ready).into()], LONG).unwrap().unwrap().index, 0);
        });
        drop(ready);
        assert_eq!(reader.read(), Ok(number));
    }
}

#[test]
fn a_wait_for_all_refuses_endpoints() {
    let name = unique("all");
    let mut sender = spsc::Sender::<u32>::create_new(&name).unwrap();
    let ready = sender.ready();
    let error = wait_all_for(&[(&ready).into()], SHORT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}
