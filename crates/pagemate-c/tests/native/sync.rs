//! Tests of sync objects that programs in C, C++ and Rust share, and of killed owners.

use super::harness::{Actor, Place};
use super::locker;

const LANGUAGES: [&str; 3] = ["rust", "c", "c++"];

/// Starts one locker of each language. The first one creates the objects.
fn lockers(place: &Place, languages: [&str; 3]) -> [Actor; 3] {
    let mut first = true;
    languages.map(|language| {
        let (actor, created) = locker::start(place, language);
        assert_eq!(created, std::mem::take(&mut first), "{language}");
        actor
    })
}

/// Returns the kind of error, as the language names it.
fn not_owner(language: &str) -> &'static str {
    if language == "rust" { "NotOwner" } else { "PAGEMATE_NOT_OWNER" }
}

/// Checks that a command of one locker ends the wait of another.
#[track_caller]
fn wakes(all: &mut [Actor], one: usize, verb: &str, other: usize, wait: &str, reply: &str) {
    all[other].tell(wait);
    all[one].expect(verb, "ok");
    assert_eq!(all[other].reply().as_deref(), Some(reply), "{verb} by {one}, {wait} by {other}");
}

#[test]
fn all_languages_share_one_mutex_with_any_creator() {
    let mut languages = LANGUAGES;
    for _ in 0..languages.len() {
        let place = Place::new("native-mutex");
        let mut all = lockers(&place, languages);
        for owner in 0..all.len() {
            all[owner].expect("lock", "had");
            let others = (0..all.len()).filter(|other| *other != owner);
            for other in others.clone() {
                all[other].expect("try", "busy");
                all[other].expect("unlock", not_owner(languages[other]));
            }
            // Releasing the mutex wakes a waiter, which acquires it.
            for other in others {
                wakes(&mut all, owner, "unlock", other, "lock", "had");
                all[other].expect("unlock", "ok");
                all[owner].expect("lock", "had");
            }
            all[owner].expect("unlock", "ok");
        }
        languages.rotate_left(1);
    }
}

#[test]
fn all_languages_count_one_number_under_a_lock() {
    let mut languages = LANGUAGES;
    for _ in 0..languages.len() {
        let place = Place::new("native-number");
        let mut all = lockers(&place, languages);
        for (before, actor) in all.iter_mut().enumerate() {
            actor.expect("add", &(before + 1).to_string());
        }
        // All lockers increment the number at the same time, and no increment is lost.
        for _ in 0..10 {
            for actor in &mut all {
                actor.tell("add");
            }
        }
        let replies = all.iter_mut().flat_map(|actor| (0..10).map(|_| actor.reply().unwrap()));
        let mut numbers: Vec<u32> = replies.map(|reply| reply.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (4..34).collect::<Vec<_>>());
        languages.rotate_left(1);
    }
}

#[test]
fn all_languages_wait_for_the_same_objects() {
    let place = Place::new("native-several");
    let mut all = lockers(&place, LANGUAGES);
    for signaler in 0..all.len() {
        for waiter in (0..all.len()).filter(|waiter| *waiter != signaler) {
            all[signaler].expect("lock", "had");
            wakes(&mut all, signaler, "set", waiter, "any", "0");
            all[signaler].expect("reset", "ok");
            wakes(&mut all, signaler, "release", waiter, "any", "1");
            wakes(&mut all, signaler, "unlock", waiter, "any", "2");
            all[waiter].expect("unlock", "ok");

            all[signaler].expect("set", "ok");
            all[signaler].expect("release", "ok");
            all[signaler].expect("lock", "had");
            wakes(&mut all, signaler, "unlock", waiter, "all", "had");
            all[signaler].expect("try", "busy");
            all[waiter].expect("unlock", "ok");
            all[signaler].expect("reset", "ok");
        }
    }
}

#[test]
fn the_next_owner_in_any_language_learns_of_the_owners_death() {
    for owner in LANGUAGES {
        for way in ["kill", "exit"] {
            let place = Place::new("native-abandoned");
            let mut all = lockers(&place, LANGUAGES);
            // One owner after another ends while it owns the mutexes, and each next owner must find
            // them abandoned.
            let (mut gone, _) = locker::start(&place, owner);
            gone.expect("lock", "had");
            gone.expect("hold", "had");
            all[0].tell("lock");
            all[1].expect("try", "busy");
            gone.end(way);
            assert_eq!(all[0].reply().as_deref(), Some("abandoned"), "{owner}: {way}");
            all[0].expect("hold", "abandoned");
            let [mut last, second, third] = all;
            for (before, mut next) in [(0, second), (2, third)] {
                next.tell("any");
                last.end(way);
                assert_eq!(next.reply().as_deref(), Some("2 abandoned"), "{owner}: {way}");
                next.expect("add", &format!("{} abandoned", before + 1));
                next.expect("add", &format!("{}", before + 2));
                next.expect("hold", "had");
                last = next;
            }
            last.expect("unlock", "ok");
            last.expect("try", "had");
        }
    }
}
