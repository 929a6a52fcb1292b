//! The latest value of a watch channel, beside plain copies of the same size in shared memory.
#![allow(unsafe_code, reason = "plain copies to and from shared memory")]

use std::hint::black_box;

use pagemate::SectionOptions;
use pagemate::channel::watch::{Reader, Writer};

use super::contender::Message;
use super::measure::{Effort, compare};
use super::place::Place;

/// Prints the rows for values of so many words.
pub(crate) fn rows<const WORDS: usize>(place: &Place, effort: Effort) {
    let name = place.name("Local", &format!("latest {WORDS}"));
    let mut writer = Writer::<Message<WORDS>>::create_new(&name).expect("a writer");
    let mut reader = Reader::<Message<WORDS>>::open(&name).expect("a reader");
    let len = WORDS * 8;
    let name = place.name("Local", &format!("copy {WORDS}"));
    let section = SectionOptions::new().len(len as u64).create_new(name).expect("memory");
    let view = section.map().expect("a view");
    let memory: *mut Message<WORDS> = view.as_ptr().cast();
    let words = || -> Box<Message<WORDS>> { vec![7; WORDS].try_into().expect("as many words") };
    let (value, mut ours, mut theirs) = (words(), words(), words());
    writer.write(&value).expect("a channel");
    let read = compare(
        effort,
        || {
            reader.read_into(&mut ours).expect("a value");
            black_box(&ours);
        },
        || {
            // SAFETY: the view has room for a message, and no other process uses it.
            unsafe { theirs.as_mut_ptr().copy_from_nonoverlapping(memory.cast(), WORDS) };
            black_box(&theirs);
        },
    );
    read.print(&format!("read, {len} bytes"), Some(1.3));
    let written = compare(
        effort,
        || writer.write(black_box(&value)).expect("a channel"),
        || {
            let from = black_box(&value);
            // SAFETY: the view has room for a message, and no other process uses it.
            unsafe { memory.cast::<u64>().copy_from_nonoverlapping(from.as_ptr(), WORDS) };
            black_box(memory);
        },
    );
    written.print(&format!("write, {len} bytes"), Some(2.0));
}
