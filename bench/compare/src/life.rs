//! The time to create a channel and to open an existing one.

use std::time::Instant;

use crate::group;
use crate::results::{Results, Value};
use crate::run::Run;
use crate::transport::Waiting;

pub(crate) fn measure(run: &mut Run, results: &mut Results) {
    for channel in group::ALL {
        if !run.wants(channel.name) {
            continue;
        }
        // iceoryx2 takes milliseconds for each.
        let slow = channel.name.starts_with("iceoryx2");
        let repetitions = run.effort.repetitions() / if slow { 10 } else { 1 };
        let (mut creates, mut opens) = (Vec::new(), Vec::new());
        for _ in 0..repetitions.max(3) {
            let setting = run.setting(64, Waiting::Default);
            let start = Instant::now();
            let created = (channel.create)(&setting);
            let sender = (channel.sender)(&setting);
            creates.push(start.elapsed().as_nanos() as f64 / 1e3);
            let start = Instant::now();
            let receiver = (channel.receiver)(&setting);
            opens.push(start.elapsed().as_nanos() as f64 / 1e3);
            drop((receiver, sender, created));
        }
        for (row, values) in [("create, with a sender", creates), ("open, with a receiver", opens)]
        {
            results.values.push(Value {
                table: "create and open a channel",
                row: row.to_owned(),
                subject: channel.name.to_owned(),
                unit: "µs",
                values,
            });
        }
    }
}
