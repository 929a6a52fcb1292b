//! Channels whose header another program changed before they are opened.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use pagemate::channel::spsc::{Receiver, Sender};
use pagemate::channel::{MessageType, Options, watch};
use pagemate::{ErrorKind, Result};

use super::harness::fork::alone;

/// The type of the messages.
const TYPE: MessageType = MessageType::new(64, 64, 7);

fn options() -> Options {
    let mut options = Options::new();
    options.capacity(8).message_type(TYPE);
    options
}

fn file(place: &Path) -> File {
    let user = rustix::process::geteuid().as_raw();
    let path = place.join(format!("pagemate-{user}/x"));
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(opened: Result<T>, kind: ErrorKind, fact: &str) {
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    assert!(text.contains("open channel \"x\"") && text.contains(fact), "{text}");
}

#[test]
fn a_changed_header_is_refused_and_names_the_cause() {
    use ErrorKind::{Corrupted, WrongKind, WrongVersion};
    const CHANGED: &str = "another program changed it; end the processes that hold it";
    alone("headers::a_changed_header_is_refused_and_names_the_cause", |place| {
        let sender: Sender<[u8]> = options().create_new("x").unwrap();
        let file = file(place);
        let mut fresh = [0; 80];
        file.read_exact_at(&mut fresh, 0).unwrap();
        let number = |at: usize| u64::from_ne_bytes(*fresh[at..].first_chunk().unwrap());
        let (first, stride) = (number(48), number(56));
        assert_eq!((number(16), first % 64, stride % 64, number(64)), (8, 0, 0, 64));
        let endless = u64::MAX;
        let table = [
            (0, 0, Corrupted, CHANGED),
            (0, endless, WrongKind, "is not a channel"),
            (8, 1 << 32 | 9, WrongVersion, "use one release for all processes"),
            (8, 77 << 32 | 1, WrongKind, "of kind unknown (77), where spsc was expected"),
            (16, 0, Corrupted, CHANGED),
            (16, 3, Corrupted, CHANGED),
            (16, 1 << 20, Corrupted, CHANGED),
            (16, 1 << 63, Corrupted, CHANGED),
            (16, endless, Corrupted, CHANGED),
            (24, 8, WrongKind, "messages of another type"),
            (32, 63, WrongKind, "messages of another type"),
            (32, endless, WrongKind, "messages of another type"),
            (40, 0, WrongKind, "messages of another type"),
            (40, 128, WrongKind, "messages of another type"),
            // These slots overlap the header.
            (48, 0, Corrupted, CHANGED),
            (48, 640, Corrupted, CHANGED),
            // These slots are not aligned for the messages.
            (48, first + 8, Corrupted, CHANGED),
            (48, first + 1, Corrupted, CHANGED),
            (48, 1 << 40, Corrupted, CHANGED),
            (48, endless & !63, Corrupted, CHANGED),
            (56, 0, Corrupted, CHANGED),
            // These slots overlap.
            (56, 64, Corrupted, CHANGED),
            (56, stride + 8, Corrupted, CHANGED),
            (56, 1 << 61, Corrupted, CHANGED),
            (56, endless & !63, Corrupted, CHANGED),
            (64, 0, Corrupted, CHANGED),
            (64, 56, Corrupted, CHANGED),
            (64, endless, Corrupted, CHANGED),
        ];
        for (at, value, kind, fact) in table {
            file.write_all_at(&u64::to_ne_bytes(value), at).unwrap();
            refused(options().open::<Receiver<[u8]>>("x"), kind, fact);
            file.write_all_at(&fresh, 0).unwrap();
        }
        refused(options().open::<watch::Reader<[u8]>>("x"), WrongKind, "of kind spsc (1)");
        drop(options().open::<Receiver<[u8]>>("x").unwrap());
        drop(sender);
    });
}

#[test]
fn a_tool_for_every_type_refuses_invalid_types() {
    alone("headers::a_tool_for_every_type_refuses_invalid_types", |place| {
        let sender: Sender<[u8]> = options().create_new("x").unwrap();
        let file = file(place);
        let open = || Options::new().any_message_type().open::<Receiver<[u8]>>("x");
        assert_eq!(open().unwrap().message_type(), TYPE);
        for (at, values) in [(32, [0, 56, 72, u64::MAX]), (40, [0, 3, 1 << 20, u64::MAX])] {
            let mut fresh = [0; 8];
            file.read_exact_at(&mut fresh, at).unwrap();
            for value in values {
                file.write_all_at(&u64::to_ne_bytes(value), at).unwrap();
                refused(open(), ErrorKind::Corrupted, "another program changed it");
            }
            file.write_all_at(&fresh, at).unwrap();
        }
        drop((sender, open().unwrap()));
    });
}
