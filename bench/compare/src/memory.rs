//! The memory of a channel: of an empty one, and of each message in a full one.

use std::fs;

use crate::crowd::{End, open_line};
use crate::group;
use crate::member::{self, Failure, Member};
use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::Waiting;

/// The two depths whose difference is the cost of a message.
const DEPTHS: [usize; 2] = [64, 1024];

pub(crate) fn measure(run: &mut Run, results: &mut Results) {
    for channel in group::ALL {
        if !run.wants(channel.name) {
            continue;
        }
        let used = DEPTHS.map(|depth| {
            let setting = run.setting(depth, Waiting::Default);
            of_channel(&open_line("create", channel, &setting), depth)
        });
        let [Ok(few), Ok(many)] = used else {
            println!("  {}: fails", channel.name);
            continue;
        };
        let mut value = |row: &str, unit, value| {
            results.values.push(Value {
                table: "memory",
                row: row.to_owned(),
                subject: channel.name.to_owned(),
                unit,
                values: vec![value],
            });
        };
        let each = (many - few) * 1024.0 / (DEPTHS[1] - DEPTHS[0]) as f64;
        value("a full channel of 64 messages of 64 bytes", "KiB", few);
        value("each further message of 64 bytes", "bytes", each);
    }
}

/// Returns the KiB that a process needs for a channel and for the messages in it.
fn of_channel(create: &str, depth: usize) -> Result<f64, Failure> {
    let mut member = Member::start("memory", member::processors()[0]);
    let empty = member.ask("memory")?;
    member.ask(create)?;
    member.ask(create.replacen("create", "send", 1))?;
    member.ask(create.replacen("create", "receive", 1))?;
    member.ask(format!("fill|{depth}"))?;
    let full = member.ask("memory")?;
    let kib = |text: String| text.parse::<f64>().map_err(|_| Failure::Failed);
    Ok(kib(full)? - kib(empty)?)
}

/// The main function of the process.
pub(crate) fn member(processor: usize) {
    let mut end = End::default();
    member::serve(processor, |line| {
        let words: Vec<&str> = line.split('|').collect();
        match words[..] {
            ["memory"] => resident().to_string(),
            ["fill", depth] => {
                let depth: u64 = depth.parse().expect("a number");
                let sender = end.sender.as_mut().expect("a sender");
                (0..depth).take_while(|number| sender.send(*number)).count().to_string()
            }
            _ => {
                end.open(&words);
                "ready".to_owned()
            }
        }
    });
}

/// Returns the KiB of memory that this process uses, without the pages of programs and libraries.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system's answer");
    let kib = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    };
    kib("RssAnon") + kib("RssShmem")
}
