//! The latest value: reads without a write at the same time, and writes, beside a plain copy in shared memory.

use std::hint::black_box;
use std::time::Instant;

use pagemate::SectionOptions;
use pagemate::channel::watch::{Reader, Writer};
use ringfire::{BlackboardConsumer, BlackboardProducer};

use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::{Waiting, iceoryx};

/// A value of ringfire, which accepts an array only inside a type of the user.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Board<const WORDS: usize>([u64; WORDS]);

pub(crate) fn measure(run: &mut Run, results: &mut Results) {
    of_length::<1>(run, results);
    of_length::<8>(run, results);
    of_length::<512>(run, results);
}

/// One contender's read and write.
type Contender<'a> = (&'static str, Box<dyn FnMut() + 'a>, Box<dyn FnMut() + 'a>);

fn of_length<const WORDS: usize>(run: &mut Run, results: &mut Results) {
    let setting = run.setting(1, Waiting::Polling);
    let value = [7_u64; WORDS];

    let section =
        SectionOptions::new().len(WORDS as u64 * 8).create_new(format!("{} copy", setting.name));
    let section = section.expect("memory");
    let view = section.map().expect("a view");
    let at: *mut [u64; WORDS] = view.as_ptr().cast();

    let mut writer = Writer::<[u64; WORDS]>::create_new(&*setting.name).expect("a channel");
    let mut reader = Reader::<[u64; WORDS]>::open(&*setting.name).expect("a channel");
    writer.write(&value).expect("a channel");

    let path = setting.file("board");
    let mut board = BlackboardProducer::<Board<WORDS>>::create(&path, 16).expect("a board");
    board.write(3, &Board(value)).expect("a slot");
    let view_of_board = BlackboardConsumer::<Board<WORDS>>::attach(&path).expect("a board");

    let node = iceoryx::node(&setting);
    let name = format!("{} board", setting.name);
    let service = node.service_builder(&name.as_str().try_into().expect("a service name"));
    let service = service.blackboard_creator::<u64>().add::<[u64; WORDS]>(3, value);
    let service = service.create().expect("a blackboard");
    let ice_writer = service.writer_builder().create().expect("a writer");
    let ice_entry = ice_writer.entry::<[u64; WORDS]>(&3).expect("an entry");
    let ice_reader = service.reader_builder().create().expect("a reader");
    let ice_read = ice_reader.entry::<[u64; WORDS]>(&3).expect("an entry");

    let (mut own, mut other) = ([0; WORDS], [0; WORDS]);
    let mut contenders: Vec<Contender> = vec![
        (
            "plain copy",
            Box::new(|| {
                // SAFETY: the view has room for the value, and no other process uses it.
                other = unsafe { at.read_volatile() };
                black_box(&other);
            }),
            // SAFETY: as above.
            Box::new(|| unsafe { at.write_volatile(black_box(value)) }),
        ),
        (
            "pagemate watch",
            Box::new(|| {
                reader.read_into(&mut own).expect("a value");
                black_box(&own);
            }),
            Box::new(|| writer.write(black_box(&value)).expect("a channel")),
        ),
        (
            "ringfire blackboard",
            Box::new(|| {
                black_box(view_of_board.read(3).expect("a slot"));
            }),
            Box::new(|| board.write(3, black_box(&Board(value))).expect("a slot")),
        ),
        (
            "iceoryx2 blackboard",
            Box::new(|| {
                black_box(*ice_read.get());
            }),
            Box::new(|| ice_entry.update_with_copy(black_box(value))),
        ),
    ];
    let mut times = vec![[Vec::new(), Vec::new()]; contenders.len()];
    for _ in 0..run.effort.rounds() {
        for ((_, read, write), times) in contenders.iter_mut().zip(&mut times) {
            times[0].push(time(read));
            times[1].push(time(write));
        }
    }
    for ((subject, ..), times) in contenders.iter().zip(times) {
        for (what, values) in ["read", "write"].into_iter().zip(times) {
            results.values.push(Value {
                table: "latest value",
                row: format!("{what}, {} bytes", WORDS * 8),
                subject: (*subject).to_owned(),
                unit: "ns",
                values,
            });
        }
    }
}

fn time(act: &mut dyn FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let start = Instant::now();
    for _ in 0..CALLS {
        act();
    }
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}
