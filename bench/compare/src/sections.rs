//! Named memory: create and open it, alone and beside many other names.

use std::ffi::{CString, c_char, c_int};
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use pagemate::{Section, SectionOptions};
use rustix::fs::{Mode, ftruncate};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::shm;
use shared_memory::ShmemConf;

use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::Waiting;

const LEN: usize = 4096;

unsafe extern "C" {
    fn boost_memory(name: *const c_char, size: usize, create: bool) -> c_int;
    fn boost_memory_remove(name: *const c_char) -> bool;
}

/// A kind of named memory.
struct Kind {
    name: &'static str,
    /// Creates memory, maps it and reads its first byte. It exists until the result is dropped.
    create: fn(&str) -> Box<dyn std::any::Any>,
    /// Opens the memory, maps it, reads its first byte and closes it.
    open: fn(&str),
}

/// Removes a POSIX name when it is dropped.
struct Posix(String);

impl Drop for Posix {
    fn drop(&mut self) {
        _ = shm::unlink(&self.0);
    }
}

/// Removes the name of a Boost object when it is dropped.
struct Boost(CString);

impl Drop for Boost {
    fn drop(&mut self) {
        // SAFETY: the name ends with a zero.
        unsafe { boost_memory_remove(self.0.as_ptr()) };
    }
}

fn posix(name: &str, flags: shm::OFlags) {
    let file = shm::open(name, flags | shm::OFlags::RDWR, Mode::RUSR | Mode::WUSR).expect("memory");
    if flags.contains(shm::OFlags::CREATE) {
        ftruncate(&file, LEN as u64).expect("room");
    }
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses a free address.
    let view = unsafe { mmap(std::ptr::null_mut(), LEN, access, MapFlags::SHARED, &file, 0) };
    let view = view.expect("a view");
    // SAFETY: the view is mapped and has this byte.
    black_box(unsafe { view.cast::<u8>().read_volatile() });
    // SAFETY: nothing uses the view afterwards.
    unsafe { munmap(view, LEN) }.expect("a view");
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "shm_open",
        create: |name| {
            let name = format!("/{name}");
            posix(&name, shm::OFlags::CREATE | shm::OFlags::EXCL);
            Box::new(Posix(name))
        },
        open: |name| posix(&format!("/{name}"), shm::OFlags::empty()),
    },
    Kind {
        name: "pagemate",
        create: |name| {
            let section = SectionOptions::new().len(LEN as u64).create_new(name).expect("memory");
            let view = section.map().expect("a view");
            // SAFETY: the view has this byte.
            black_box(unsafe { view.as_ptr().read_volatile() });
            Box::new(section)
        },
        open: |name| {
            let view = Section::open(name).expect("memory").map().expect("a view");
            // SAFETY: the view has this byte.
            black_box(unsafe { view.as_ptr().read_volatile() });
        },
    },
    Kind {
        name: "shared_memory",
        create: |name| {
            let memory = ShmemConf::new().size(LEN).os_id(name).create().expect("memory");
            // SAFETY: the memory has this byte.
            black_box(unsafe { memory.as_ptr().read_volatile() });
            Box::new(memory)
        },
        open: |name| {
            let memory = ShmemConf::new().os_id(name).open().expect("memory");
            // SAFETY: the memory has this byte.
            black_box(unsafe { memory.as_ptr().read_volatile() });
        },
    },
    Kind {
        name: "Boost shared_memory_object",
        create: |name| {
            let name = CString::new(name).expect("a name");
            // SAFETY: the name ends with a zero.
            assert_eq!(unsafe { boost_memory(name.as_ptr(), LEN, true) }, 0, "memory");
            Box::new(Boost(name))
        },
        open: |name| {
            let name = CString::new(name).expect("a name");
            // SAFETY: the name ends with a zero.
            assert_eq!(unsafe { boost_memory(name.as_ptr(), LEN, false) }, 0, "memory");
        },
    },
];

/// The same for Python's standard module. Arguments: the number of repetitions, the name.
const PYTHON: &str = r#"
import sys, time
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
for _ in range(int(sys.argv[1])):
    start = time.perf_counter_ns()
    memory = SharedMemory(sys.argv[2], create=True, size=4096)
    memory.buf[0]
    created = time.perf_counter_ns()
    other = SharedMemory(sys.argv[2])
    other.buf[0]
    other.close()
    opened = time.perf_counter_ns()
    memory.close()
    memory.unlink()
    gone = time.perf_counter_ns()
    print(created - start + gone - opened, opened - created)
"#;

pub(crate) fn measure(run: &mut Run, results: &mut Results) {
    let name = run.setting(1, Waiting::Default).name;
    for (beside, row) in [(0, ""), (run.effort.crowd(), " beside many others")] {
        for kind in KINDS.iter().filter(|kind| run.wants(kind.name)) {
            let crowd: Vec<_> =
                (0..beside).map(|one| (kind.create)(&format!("{name}-{one}"))).collect();
            let (mut creates, mut opens) = (Vec::new(), Vec::new());
            for _ in 0..run.effort.repetitions() {
                let start = Instant::now();
                let memory = (kind.create)(&name);
                let created = start.elapsed();
                let start = Instant::now();
                (kind.open)(&name);
                opens.push(start.elapsed().as_nanos() as f64 / 1e3);
                let start = Instant::now();
                drop(memory);
                creates.push((created + start.elapsed()).as_nanos() as f64 / 1e3);
            }
            drop(crowd);
            values(results, kind.name, row, [creates, opens]);
        }
    }
    if run.wants("Python") {
        python(run, results, &name);
    }
}

fn python(run: &Run, results: &mut Results, name: &str) {
    let count = run.effort.repetitions().to_string();
    let output = Command::new("python3").args(["-c", PYTHON, &count, name]).output();
    let Ok(output) = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    else {
        println!("  Python: is not installed");
        return;
    };
    let (mut creates, mut opens) = (Vec::new(), Vec::new());
    for line in output.lines() {
        let mut words = line.split(' ').filter_map(|word| word.parse::<f64>().ok());
        creates.extend(words.next().map(|ns| ns / 1e3));
        opens.extend(words.next().map(|ns| ns / 1e3));
    }
    values(results, "Python SharedMemory", "", [creates, opens]);
}

fn values(results: &mut Results, subject: &str, row: &str, [creates, opens]: [Vec<f64>; 2]) {
    let rows = [("create, map, read and remove", creates), ("open, map, read and close", opens)];
    for (what, values) in rows {
        results.values.push(Value {
            table: "named memory of 4 KiB",
            row: format!("{what}{row}"),
            subject: subject.to_owned(),
            unit: "µs",
            values,
        });
    }
}
