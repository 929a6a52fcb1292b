//! Rounds of a watch channel: the writer dies, or readers do.

use std::thread;
use std::time::Instant;

use pagemate::ErrorKind;
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{Options, RecvError, Waiting};

use super::Rounds;
use super::message::{checked, message};
use super::scene::{LONG, MOMENT, Role, Scene};
use std::sync::atomic::Ordering::SeqCst;

/// A value whose copy takes long enough to be interrupted.
const WORDS: usize = 256;

type Value = [u64; WORDS];

pub(crate) struct Watch {
    reader: Reader<Value>,
    writer: Option<Writer<Value>>,
}

fn write(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let mut writer = Writer::<Value>::open(name).expect("the place of the writer is free");
    role.is_ready();
    let mut number = 0;
    while role.step() {
        if role.mode.is_multiple_of(2) {
            writer.write(&message(role.life, number)).expect("a write");
        } else {
            drop(writer.loan().expect("a loan"));
            let mut loan = writer.loan().expect("a loan");
            loan.write(&message(role.life, number));
            loan.publish().expect("the buffer");
        }
        number += 1;
        role.note_done(number);
    }
}

fn read(mut role: Role, name: &str) {
    if !role.step() {
        return;
    }
    let waiting = if role.mode.is_multiple_of(2) { Waiting::Sleep } else { Waiting::SpinThenSleep };
    let mut options = Options::new();
    let mut reader: Reader<Value> =
        options.waiting(waiting).await_successor(true).open(name).expect("a reader");
    role.is_ready();
    let mut last = (0, 0);
    while role.step() {
        let found = checked(&reader.changed().expect("the writer has a successor"));
        assert!(found > last, "{found:?} after {last:?}");
        last = found;
        role.note_done(reader.version());
    }
}

impl Watch {
    pub(crate) fn new(scene: &Scene) -> Watch {
        // Without a first writer readers would wait for one, and not be disconnected.
        let writer = Writer::create_new(&scene.name).expect("a new channel");
        let reader = Reader::open(&scene.name).expect("the channel");
        Watch { reader, writer: Some(writer) }
    }

    fn writer_dies(&mut self, scene: &mut Scene) {
        self.writer = None;
        let reader = &mut self.reader;
        let before = reader.latest_version();
        let (fate, name) = (scene.fate(), scene.name.clone());
        // A reader that sleeps while the writer dies.
        let reads = scene.random.below(2) == 0;
        let sleeper = reads.then(|| {
            let fate = scene.fate();
            scene.start(1, fate, |role| read(role, &name))
        });
        let victim = scene.start(0, fate, |role| write(role, &name));
        scene.end(
            &victim,
            reader,
            |scene, reader| {
                if reader.wait_for_change_timeout(MOMENT).is_ok() {
                    checked(&reader.read().expect("a value"));
                    scene.totals.messages.fetch_add(1, SeqCst);
                }
            },
            |scene, reader| {
                assert!(reader.has_writer().expect("an answer"), "a live writer is dead");
                let second = Writer::<Value>::open(&scene.name).expect_err("a second writer");
                assert_eq!(second.kind(), ErrorKind::AlreadyExists);
                if let Err(error) = reader.read() {
                    assert_eq!(error, RecvError::Empty);
                }
            },
        );
        assert!(!reader.has_writer().expect("an answer"), "a dead writer is alive");
        self.check_left(scene, victim.life, before);
        if let Some(sleeper) = sleeper {
            scene.end(&sleeper, &mut (), |_, ()| thread::sleep(MOMENT), |_, ()| {});
        }
    }

    /// Checks the value that a dead writer left.
    fn check_left(&mut self, scene: &Scene, life: u64, before: u64) {
        let (reader, done) = (&mut self.reader, scene.done(0));
        match reader.read() {
            Ok(found) => {
                let (found, number) = checked(&found);
                if found == life {
                    assert!(number + 1 == done || number == done, "{number} of {done}");
                    assert_eq!(reader.version(), before + number + 1);
                } else {
                    assert_eq!((done, reader.version()), (0, before), "an older value");
                }
            }
            Err(error) => assert_eq!((error, done, before), (RecvError::Empty, 0, 0)),
        }
        if scene.lives.is_multiple_of(4) {
            let began = Instant::now();
            let waited = reader.wait_for_change_timeout(LONG);
            assert_eq!(waited, Err(RecvError::Disconnected));
            scene.note_wait(began);
        }
    }

    fn readers_die(&mut self, scene: &mut Scene) {
        let writer = self.writer.as_mut().expect("it is open");
        let name = scene.name.clone();
        let life = scene.lives + 1;
        let mut number = 0;
        let victims = [0, 1].map(|index| {
            let fate = scene.fate();
            scene.start(index, fate, |role| read(role, &name))
        });
        let pauses = scene.random.below(2) == 0;
        for victim in &victims {
            scene.end(
                victim,
                &mut (&mut *writer, &mut number),
                |scene, (writer, number)| {
                    writer.write(&message(life, **number)).expect("a write");
                    **number += 1;
                    scene.totals.messages.fetch_add(1, SeqCst);
                    if pauses {
                        // The readers sleep.
                        thread::sleep(MOMENT);
                    }
                },
                |_, _| {},
            );
        }
        writer.write(&message(life, number)).expect("a write");
        assert_eq!(checked(&self.reader.changed().expect("a value")), (life, number));
        // Readers that no longer exist leave no note.
        assert!(scene.done(0).max(scene.done(1)) <= self.reader.version());
    }

    /// Checks that the place of the writer and every buffer came back.
    fn fill(&mut self, scene: &mut Scene) {
        let Watch { reader, writer } = self;
        let open = |error| panic!("the place of a dead writer did not come back: {error}");
        let writer = writer.get_or_insert_with(|| Writer::open(&scene.name).unwrap_or_else(open));
        let version = writer.version();
        scene.lives += 1;
        for number in 0..8 {
            writer.write(&message(scene.lives, number)).expect("a write");
            let found = reader.read().expect("a value");
            assert_eq!(checked(&found), (scene.lives, number));
            assert_eq!(reader.version(), version + number + 1);
        }
        scene.check_sleepers();
    }
}

impl Rounds for Watch {
    fn round(&mut self, scene: &mut Scene) {
        if scene.random.below(2) == 0 {
            self.writer_dies(scene);
        } else {
            self.readers_die(scene);
        }
        self.fill(scene);
    }
}
