//! Compares the part of `docs/layout.md` about channels with the bytes of real channels.
#![cfg(target_os = "linux")]

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use harness::unique;
use pagemate::channel::{MessageType, Options, broadcast, mpmc, spsc, watch};

type Message = [u32; 3];

/// The bytes of an object.
struct Object(Vec<u8>);

impl Object {
    /// Reads the object that this process holds.
    fn read(name: &str) -> Object {
        let links = fs::read_dir("/proc/self/fd").unwrap();
        let paths = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
        let mut ours = paths.filter(|path| path.file_name().is_some_and(|file| file == name));
        Object(fs::read(ours.next().expect("a descriptor of the object")).unwrap())
    }

    fn number(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.0[at..at + 8].try_into().unwrap())
    }
}

/// The offset and the size of each field that the document lists for a kind of channel.
struct Fields(BTreeMap<String, (usize, usize)>);

impl Fields {
    /// Reads the table of the common fields, and that in the part that begins with `**KIND channel**`.
    fn documented(kind: &str) -> Fields {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/layout.md");
        let text = fs::read_to_string(path).unwrap();
        let (_, text) = text.split_once("\n### A channel\n").unwrap();
        let (text, _) = text.split_once("\n### ").unwrap();
        let mut fields = rows(text.split("\n\n|").nth(1).unwrap());
        if let Some((_, part)) = text.split_once(&format!("**{kind} channel**")) {
            fields.retain(|_, (offset, _)| *offset < 192);
            fields.extend(rows(part.split("\n\n|").nth(1).unwrap()));
        }
        Fields(fields)
    }

    fn number(&self, object: &Object, field: &str) -> u64 {
        let (offset, size) = self.0[field];
        match size {
            4 => u32::from_ne_bytes(object.0[offset..offset + 4].try_into().unwrap()).into(),
            _ => object.number(offset),
        }
    }

    /// Checks the common fields, and that all other bytes of the header are zero. Returns the offset of the first
    /// message and the distance from one to the next.
    fn check(&self, object: &Object, kind: u64, slots: u64) -> (usize, usize) {
        let message = MessageType::of::<Message>();
        for (field, value) in [
            ("magic", u64::from_ne_bytes(*b"PMCHANN1")),
            ("version", 1),
            ("kind", kind),
            ("capacity", slots),
            ("fingerprint", message.fingerprint()),
            ("length", 12),
            ("alignment", 4),
            ("slot length", 12),
        ] {
            assert_eq!(self.number(object, field), value, "{field}");
        }
        assert!(self.number(object, "id") != 0 && self.number(object, "seats") > 0);
        let first = usize::try_from(self.number(object, "first")).unwrap();
        let stride = usize::try_from(self.number(object, "stride")).unwrap();
        let is_documented = |at: usize| {
            let has = |&(offset, size): &(usize, usize)| (offset..offset + size).contains(&at);
            self.0.iter().any(|(field, range)| field != "zero" && has(range))
        };
        for at in (0..first - 8).filter(|at| object.0[*at] != 0) {
            assert!(is_documented(at), "the byte at {at} is not 0 and not documented");
        }
        (first, stride)
    }
}

/// Returns the fields of a table.
fn rows(text: &str) -> BTreeMap<String, (usize, usize)> {
    let table = text.split("\n\n").next().unwrap();
    let number = |cell: &str| -> Result<usize, std::num::ParseIntError> {
        cell.split(" × ").map(str::parse::<usize>).product()
    };
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let (offset, size) = (number(cells.next()?).ok()?, number(cells.next()?).ok()?);
        Some((cells.next()?.to_owned(), (offset, size)))
    });
    rows.collect()
}

fn message(number: u32) -> Message {
    [number, number * 2, number * 3]
}

#[track_caller]
fn assert_message(object: &Object, at: usize, number: u32) {
    let bytes: Vec<u8> = message(number).iter().flat_map(|word| word.to_ne_bytes()).collect();
    assert_eq!(object.0[at..at + 12], bytes);
}

#[test]
fn an_spsc_channel_is_as_documented() {
    let name = unique("layout-spsc");
    let mut sender: spsc::Sender<Message> = Options::new().capacity(4).create_new(&name).unwrap();
    let mut receiver = spsc::Receiver::<Message>::open(&name).unwrap();
    (0..3).for_each(|number| sender.send(&message(number)).unwrap());
    assert_eq!(receiver.recv(), Ok(message(0)));
    let (object, fields) = (Object::read(&name), Fields::documented("spsc"));
    let (first, stride) = fields.check(&object, 1, 4);
    assert!(fields.number(&object, "sender") > 0 && fields.number(&object, "receiver") > 0);
    assert_eq!(fields.number(&object, "sender pid"), std::process::id().into());
    assert_eq!((fields.number(&object, "sent"), fields.number(&object, "received")), (3, 1));
    for number in 0..3 {
        let at = first + number as usize * stride;
        assert_eq!(object.number(at - 8), u64::from(number) + 1);
        assert_message(&object, at, number);
    }
}

#[test]
fn an_mpmc_channel_is_as_documented() {
    let name = unique("layout-mpmc");
    let mut sender: mpmc::Sender<Message> = Options::new().capacity(4).create_new(&name).unwrap();
    let mut receiver = mpmc::Receiver::<Message>::open(&name).unwrap();
    (0..3).for_each(|number| sender.send(&message(number)).unwrap());
    assert_eq!(receiver.recv(), Ok(message(0)));
    let (object, fields) = (Object::read(&name), Fields::documented("mpmc"));
    let (first, stride) = fields.check(&object, 2, 4);
    for places in ["senders", "receivers"] {
        let (offset, size) = fields.0[places];
        let taken = object.0[offset..offset + size].chunks(8).filter(|place| place[..4] != [0; 4]);
        assert_eq!(taken.count(), 1, "{places}");
    }
    assert!(fields.number(&object, "sent") <= 3 && fields.number(&object, "received") <= 1);
    let word = |slot: usize| object.number(first + slot * stride - 8);
    let (state, lap) = (|slot| word(slot) >> 22 & 7, |slot| word(slot) >> 32);
    assert_eq!((state(0), lap(0), state(3)), (0, 1, 0));
    for slot in 1..3 {
        assert_eq!((state(slot), lap(slot)), (2, 0), "{:x}", word(slot));
        assert_message(&object, first + slot * stride, u32::try_from(slot).unwrap());
    }
}

#[test]
fn a_broadcast_channel_is_as_documented() {
    let name = unique("layout-broadcast");
    let mut options = Options::new();
    options.capacity(4).lossy(true).receivers(2);
    let mut sender: broadcast::Sender<Message> = options.create_new(&name).unwrap();
    let mut receiver = broadcast::Receiver::<Message>::open(&name).unwrap();
    (0..3).for_each(|number| sender.send(&message(number)).unwrap());
    assert_eq!(receiver.recv(), Ok(message(0)));
    let (object, fields) = (Object::read(&name), Fields::documented("broadcast"));
    let (first, stride) = fields.check(&object, 3, 6);
    let (kind_words, _) = fields.0["kind words"];
    assert_eq!(object.number(kind_words), 4);
    assert_eq!(object.number(kind_words + 8), 1 << 16 | 2);
    assert_eq!((fields.number(&object, "used"), fields.number(&object, "sent")), (1, 3));
    let (lines, size) = fields.0["lines"];
    assert_eq!(size, 64 * 128);
    assert!(object.number(lines) != 0 && object.number(lines + 128) == 0);
    // The cursor, the pin, and the number of missed messages.
    assert_eq!([8, 16, 24].map(|field| object.number(lines + field)), [1, 0, 0]);
    for number in 0..3 {
        let at = first + number as usize * stride;
        assert_eq!(object.number(at - 8), u64::from(number) * 2 + 2);
        assert_message(&object, at, number);
    }
}

#[test]
fn a_watch_channel_is_as_documented() {
    let name = unique("layout-watch");
    let mut writer = watch::Writer::<Message>::create_new(&name).unwrap();
    (1..=3).for_each(|number| writer.write(&message(number)).unwrap());
    let (object, fields) = (Object::read(&name), Fields::documented("watch"));
    let (first, stride) = fields.check(&object, 4, 4);
    assert!(fields.number(&object, "writer") != 0);
    assert_eq!(fields.number(&object, "latest"), 3);
    for version in 1..=3 {
        let at = first + version as usize * stride;
        assert_eq!(object.number(at - 8), 0);
        assert_message(&object, at, version);
    }
}
