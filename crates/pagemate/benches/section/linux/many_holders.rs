//! Processes that hold the measured objects.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::{env, process};

use pagemate::SectionOptions;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::place::Place;

/// A set of processes that hold objects. They end when this value is dropped or when this process
/// dies.
#[derive(Debug)]
pub(crate) struct Holders {
    prefix: String,
    children: Vec<(Child, Option<ChildStdin>)>,
}

impl Holders {
    /// Starts processes that hold `count` objects of 4 KiB in a namespace, `Local` or `Global`.
    pub(crate) fn of(place: &Place, namespace: &str, count: u64) -> Holders {
        let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX).saturating_sub(64);
        let prefix = place.name(namespace, "held");
        let mut holders = Holders { prefix, children: Vec::new() };
        let mut left = count;
        while left > 0 {
            let part = left.min(most);
            let mut child = Command::new(env::current_exe().expect("this program"))
                .args(["hold", &holders.prefix, &part.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a second process");
            let input = child.stdin.take();
            let output = child.stdout.take().expect("a pipe");
            holders.children.push((child, input));
            let mut reply = String::new();
            BufReader::new(output).read_line(&mut reply).expect("a reply");
            assert_eq!(reply, "ready\n", "the holder failed");
            left -= part;
        }
        holders
    }

    /// Returns the name of the first object.
    pub(crate) fn first(&self) -> String {
        name(&self.prefix, self.children[0].0.id(), 0)
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for (child, input) in &mut self.children {
            drop(input.take());
            _ = child.wait();
        }
    }
}

fn name(prefix: &str, pid: u32, index: u64) -> String {
    format!("{prefix}-{pid}-{index}")
}

/// The main function of a holder: creates its objects, reports that it has, and ends when its
/// standard input ends.
pub(crate) fn hold(prefix: &str, count: u64) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("as many descriptors as may be had");
    let sections: Vec<_> = (0..count)
        .map(|i| SectionOptions::new().len(4096).create_new(name(prefix, process::id(), i)))
        .collect::<Result<_, _>>()
        .expect("an object");
    println!("ready");
    std::io::stdout().flush().expect("a listener");
    _ = std::io::stdin().read(&mut [0]);
    drop(sections);
}
