//! A name lives exactly as long as some process holds the object, however the holders end.

mod harness;

use std::time::Duration;

use harness::{Actor, Place};

#[test]
fn actor() {
    harness::actor();
}

const WAYS: [&str; 4] = ["close", "exit", "panic", "kill"];

fn end(mut actor: Actor, way: &str) {
    if way == "close" {
        actor.expect("close x", "ok");
    } else {
        actor.end(way);
    }
}

/// Returns all permutations of `n` indices.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for order in orders(n - 1) {
        for at in 0..n {
            let mut order = order.clone();
            order.insert(at, n - 1);
            all.push(order);
        }
    }
    all
}

#[test]
fn name_lives_while_one_holder_does_in_every_order_of_every_end() {
    // Rows 32 and 72 to 76 of `tests/win32_rows.rs`.
    let place = Place::new("orders");
    let mut observer = place.actor();
    for n in 1..=3 {
        let orders = orders(n);
        // Each way to end is combined with each position in the order of the ends.
        for round in 0..WAYS.len().pow(u32::try_from(n).unwrap()) {
            let order = &orders[round % orders.len()];
            let mut holders: Vec<Option<Actor>> = (0..n).map(|_| Some(place.actor())).collect();
            for (i, holder) in holders.iter_mut().flatten().enumerate() {
                holder.expect("share x 4096", if i == 0 { "created" } else { "opened" });
            }
            holders[0].as_mut().unwrap().expect("write x 42", "ok");
            for (i, index) in order.iter().enumerate() {
                observer.expect("open-read x", "ok");
                observer.expect("read x", "42");
                observer.expect("close x", "ok");
                observer.expect("create x 4096", "AlreadyExists");
                let way = WAYS[round / WAYS.len().pow(u32::try_from(i).unwrap()) % WAYS.len()];
                end(holders[*index].take().unwrap(), way);
            }
            observer.expect("probe x", "NotFound");
            observer.expect("create x 4096", "ok");
            observer.expect("zero x", "true");
            observer.expect("close x", "ok");
            place.assert_empty();
        }
    }
}

#[test]
fn view_outlives_its_creator_and_its_handle() {
    // Row 58 of `tests/win32_rows.rs`.
    let place = Place::new("view");
    let (mut creator, mut reader) = (place.actor(), place.actor());
    creator.expect("create x 1", "ok");
    creator.expect("write x 7", "ok");
    reader.expect("open x", "ok");
    reader.expect("drop-handle x", "ok");
    creator.end("kill");
    reader.expect("read x", "7");
    reader.expect("probe x", "ok");
    reader.expect("unmap x", "ok");
    reader.expect("probe x", "NotFound");
}

#[test]
fn a_reader_alone_keeps_the_name() {
    let place = Place::new("reader");
    let (mut creator, mut reader) = (place.actor(), place.actor());
    creator.expect("create x 1", "ok");
    reader.expect("open-read x", "ok");
    creator.expect("close x", "ok");
    creator.expect("probe x", "ok");
    reader.expect("close x", "ok");
    creator.expect("probe x", "NotFound");
    place.assert_empty();
}

#[cfg(unix)]
#[test]
fn memory_of_killed_holders_is_freed_by_the_next_creation_or_list() {
    let place = Place::new("given-back");
    for sweep in ["create other 1", "list", "prune"] {
        let mut victim = place.actor();
        for name in ["a", "b", "c"] {
            victim.expect(&format!("create {name} 65536"), "ok");
        }
        victim.end("kill");
        assert_eq!(place.files().len(), 3);
        let mut other = place.actor();
        let reply = other.ask(sweep);
        assert_eq!(
            reply,
            match sweep {
                "list" => "",
                "prune" => "3",
                _ => "ok",
            }
        );
        other.end("exit");
        // A process that exits runs no destructors, so the file of its object may remain without a
        // holder.
        assert!(place.files().len() <= usize::from(sweep.starts_with("create")));
        place.actor().expect("list", "");
        place.assert_empty();
    }
}

#[cfg(unix)]
#[test]
fn list_names_the_holders() {
    let place = Place::new("holders");
    let (mut a, mut b) = (place.actor(), place.actor());
    a.expect("create x 1", "ok");
    b.expect("open x", "ok");
    let mut pids = [a.id(), b.id()];
    pids.sort_unstable();
    a.expect("holders x", &format!("{} {}", pids[0], pids[1]));
    b.end("kill");
    let alone = a.id().to_string();
    a.expect("holders x", &alone);
}

#[cfg(unix)]
#[test]
fn stopped_holder_is_alive() {
    let place = Place::new("stopped");
    let (mut holder, mut other) = (place.actor(), place.actor());
    holder.expect("create x 1", "ok");
    holder.signal(rustix::process::Signal::STOP);
    holder.wait_stopped();
    other.expect("probe x", "ok");
    other.expect("create x 1", "AlreadyExists");
    holder.signal(rustix::process::Signal::CONT);
    holder.expect("close x", "ok");
    other.expect("probe x", "NotFound");
}

#[cfg(unix)]
#[test]
fn removed_directory_is_created_again() {
    let place = Place::new("vanish");
    let mut actor = place.actor();
    actor.expect("create x 1", "ok");
    actor.expect("close x", "ok");
    std::fs::remove_dir(place.local()).unwrap();
    actor.expect("probe x", "NotFound");
    actor.expect("create x 1", "ok");
    actor.expect("probe x", "ok");
}

#[test]
fn no_reply_means_no_hang() {
    // Tests the harness: an actor without a command sends no reply, and the death of an actor is
    // detected.
    let place = Place::new("harness");
    let mut actor = place.actor();
    assert_eq!(actor.has_replied(Duration::from_millis(50)), None);
    actor.tell("exit");
    assert_eq!(actor.reply(), None);
}
