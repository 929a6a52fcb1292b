//! Watches events of Windows programs, and reports their signals. Each has a thread that waits for it.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use pagemate_wine::protocol::{Key, Report, Watched};

use crate::directory::{Directories, units};
use crate::native::{self, Handle, TYPE_MISMATCH};
use crate::run::Message;

/// The time after which a watched event is tested for other handles. A pulse between two waits is lost.
const TICK: Duration = Duration::from_millis(100);

/// The time between two tests whether a set event was reset.
const RESET_TICK: Duration = Duration::from_millis(2);

/// The events that the bridge watches, and whether a thread waits for each.
#[derive(Debug, Default)]
pub(crate) struct Watches(BTreeMap<Key, Attachment>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attachment {
    None,
    Thread,
    /// The name belongs to an object of another kind.
    OtherKind,
}

impl Watches {
    pub(crate) fn add(&mut self, key: Key) {
        self.0.entry(key).or_insert(Attachment::None);
    }

    /// Opens the events that have appeared, and starts a thread for each.
    pub(crate) fn attach(&mut self, dirs: &Directories, sender: &Sender<Message>) -> Vec<Report> {
        let mut reports = Vec::new();
        for (key, attachment) in &mut self.0 {
            if *attachment == Attachment::Thread {
                continue;
            }
            match native::open_event(dirs.of(key), &units(key)) {
                Ok(event) => {
                    let (watched, sender) = (key.clone(), sender.clone());
                    let body = move || watch(&event, &watched, &sender);
                    if thread::Builder::new().spawn(body).is_ok() {
                        *attachment = Attachment::Thread;
                    }
                }
                Err(TYPE_MISMATCH) if *attachment == Attachment::None => {
                    *attachment = Attachment::OtherKind;
                    reports.push(Report::Watched { key: key.clone(), state: Watched::OtherKind });
                }
                Err(TYPE_MISMATCH) => {}
                Err(_) => *attachment = Attachment::None,
            }
        }
        reports
    }

    /// Notes that the thread of an event has ended.
    pub(crate) fn detached(&mut self, key: &Key) {
        if let Some(attachment) = self.0.get_mut(key) {
            *attachment = Attachment::None;
        }
    }
}

/// Reports the signals of an event until no other process has a handle to it.
fn watch(event: &Handle, key: &Key, sender: &Sender<Message>) {
    let report = |state| {
        let report = Report::Watched { key: key.clone(), state };
        sender.send(Message::Report(report)).is_ok()
    };
    let Ok((manual, _)) = native::event_state(event) else { return };
    report(if manual { Watched::Manual } else { Watched::Auto });
    loop {
        if native::wait(event, Some(TICK)) {
            // A waiter of an event with auto reset consumes the signal. An event with manual reset
            // that is not set any more was reset at once, as by `PulseEvent`.
            let is_set = manual && native::event_state(event).is_ok_and(|(_, set)| set);
            let state = if !manual || is_set { Watched::Set } else { Watched::Pulsed };
            if !report(state) {
                return;
            }
            if is_set {
                while native::event_state(event).is_ok_and(|(_, set)| set) && is_held(event) {
                    thread::sleep(RESET_TICK);
                }
                report(Watched::Reset);
            }
        }
        if !is_held(event) {
            break;
        }
    }
    report(Watched::Ended);
}

/// Returns whether another process has a handle to the event.
fn is_held(event: &Handle) -> bool {
    native::counts(event).is_ok_and(|(handles, _)| handles > 1)
}
