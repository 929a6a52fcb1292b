mod report;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use clap::Args;
use pagemate::sync::{Mutex, MutexGuard, MutexOptions};
use pagemate::{ErrorKind, Section, SectionOptions, View, inventory};

use self::report::Report;
use crate::color;
use crate::directory::names_in;
use crate::failure::{Failure, Outcome};

/// Demonstrate and check the guarantees of pagemate in a few seconds, with real processes.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate demo
  pagemate demo --json | jq 'all(.passed)'

The JSON is an array of objects with the fields step, check and passed.

Exit status:
  0    every check passed
  2    a check failed")]
pub(crate) struct Demo {
    /// Print JSON at the end, for scripts.
    #[arg(long)]
    json: bool,
}

/// The environment variable that contains the name of the section, in the processes that the demo
/// starts.
const PEER: &str = "PAGEMATE_DEMO_PEER";

/// The suffix of a name in [`PEER`] that makes the process lock a mutex instead of mapping a
/// section.
const LOCKED: &str = ":locked";

const TEXT: &str = "This is common data!";
const ANSWER: &str = "THIS is common data, too";

/// The time after which the demo fails if a process does not reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

impl Demo {
    pub(crate) fn run(self) -> Outcome {
        if let Ok(name) = env::var(PEER) {
            return run_peer(&name);
        }
        let mut report = Report::new(self.json);
        let ended = demonstrate(&mut report);
        report.finish()?;
        ended
    }
}

/// Starts and kills processes, and checks after each step that pagemate keeps its guarantees.
fn demonstrate(report: &mut Report) -> Outcome {
    let name = format!("pagemate-demo-{}", std::process::id());
    share(&name, report)?;
    abandon(&format!("{name}-lock"), report)?;
    report.say("")?;
    report.say("Next: run 'pagemate share hello --text hi' here and 'pagemate list' elsewhere.")
}

/// Demonstrates that processes share the memory of a section, and when its name ends.
fn share(name: &str, report: &mut Report) -> Outcome {
    report.step("Two processes map one page, each at an address of its own")?;
    let mut writer = Peer::start(report, "A", name)?;
    report.check("A created the section and wrote a text into it", writer.origin == "created")?;
    let mut reader = Peer::start(report, "B", name)?;
    report.check(
        "B opened the section and reads A's text",
        reader.origin == "opened" && reader.reads(TEXT)?,
    )?;

    report.step("A write by one process is visible to the other at once")?;
    reader.ask(&format!("write {ANSWER}"))?;
    report.check("B wrote another text, and A reads it", writer.reads(ANSWER)?)?;
    let holders = inventory::find(name)?.holders;
    let both = [writer.id(), reader.id()].iter().all(|id| holders.contains(id));
    // Some systems cannot list the holders of an object.
    if !holders.is_empty() {
        report.check("the list of live objects names both processes as holders", both)?;
    }

    report.step("A process killed by SIGKILL releases what it held")?;
    writer.kill()?;
    report.check("A was killed, and B still has the data", reader.reads(ANSWER)?)?;
    report
        .check("a process that opens the name now reads the data too", text_of(name)? == ANSWER)?;
    if cfg!(target_os = "linux") {
        report.check(
            "the section is one file as long as a process holds it",
            files(name).len() == 1,
        )?;
    }
    reader.kill()?;
    report.check("B, the last holder, was killed, and the name is gone", is_gone(name))?;
    report.check(
        "the list of live objects no longer contains the section",
        inventory::find(name).is_err(),
    )?;
    if cfg!(target_os = "linux") {
        report.check("the section's file is removed", files(name).is_empty())?;
    }
    let section = SectionOptions::new().len(4096).create_new(name)?;
    let mut bytes = [1; 4096];
    section.map()?.read_at(0, &mut bytes)?;
    report.check("a new section of the same name is zeroed", bytes == [0; 4096])?;
    drop(section);
    report.check(
        "dropping its only handle removes the name again",
        is_gone(name) && files(name).is_empty(),
    )
}

/// Demonstrates the death of the owner of a lock.
fn abandon(name: &str, report: &mut Report) -> Outcome {
    report
        .step("The next process acquires a lock whose owner was killed, and learns of the death")?;
    let mutex = MutexOptions::new().open_or_create(name)?;
    let owner = Peer::start(report, "C", &format!("{name}{LOCKED}"))?;
    report.check("C locked the mutex", owner.origin == "locked" && mutex.try_lock()?.is_none())?;
    owner.kill()?;
    let start = Instant::now();
    let guard = mutex.try_lock_for(REPLY_TIMEOUT)?;
    let waited = start.elapsed().as_millis();
    report.check("C was killed, and this process acquired the mutex", guard.is_some())?;
    let reported = guard.as_ref().is_some_and(MutexGuard::was_abandoned);
    report.check(
        &format!("it waited {waited} ms, and pagemate reported that the owner died"),
        reported,
    )?;
    drop(guard);
    let again = mutex.lock()?;
    report.check("pagemate does not report the death to later owners", !again.was_abandoned())
}

/// Prints a line on standard output.
fn print(line: &str) -> Outcome {
    Ok(writeln!(color::stdout(), "{line}")?)
}

fn is_gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Opens the section and returns the text in it.
fn text_of(name: &str) -> Outcome<String> {
    Ok(text_in(&Section::open(name)?.map()?)?)
}

/// Returns the text up to the first NUL.
fn text_in(view: &View) -> pagemate::Result<String> {
    let mut bytes = vec![0; view.len()];
    view.read_at(0, &mut bytes)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// Returns the files with the name `name` in the object directories. Does not use pagemate, so that
/// the check is independent of it.
///
/// The file of an object has the name of the object, because the demo uses no characters that file
/// names escape.
fn files(name: &str) -> Vec<PathBuf> {
    let base = env::var_os("PAGEMATE_DIR").filter(|dir| !dir.is_empty());
    let base = base.map_or_else(|| "/dev/shm".into(), PathBuf::from);
    let dirs = names_in(&base).into_iter();
    let dirs = dirs.filter(|dir| dir.to_string_lossy().starts_with("pagemate"));
    dirs.map(|dir| base.join(dir).join(name)).filter(|file| file.exists()).collect()
}

/// A process that the demo starts.
///
/// Dropping the value kills and reaps the process. If the demo is killed, the process finds the end
/// of its standard input and exits.
struct Peer {
    child: Child,
    input: ChildStdin,
    replies: Receiver<String>,
    /// The first reply of the process: `created`, `opened` or `locked`.
    origin: String,
}

impl Peer {
    fn start(report: &Report, title: &str, name: &str) -> Outcome<Peer> {
        let failure = |error: io::Error| Failure::new(format!("start process {title}: {error}"));
        let mut child = Command::new(env::current_exe().map_err(failure)?)
            .arg("demo")
            .env(PEER, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failure)?;
        let input = child.stdin.take().expect("the pipe was requested");
        let output = BufReader::new(child.stdout.take().expect("the pipe was requested"));
        let (sender, replies) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut peer = Peer { child, input, replies, origin: String::new() };
        let reply = peer.reply()?;
        let (origin, address) = reply.split_once(' ').unwrap_or((&reply, ""));
        let did = match origin {
            "locked" => "locked the mutex".to_owned(),
            _ => format!("{origin} the section and mapped it at {address}"),
        };
        report.say(&format!("  process {title}, pid {}, {did}", peer.id()))?;
        origin.clone_into(&mut peer.origin);
        Ok(peer)
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn reads(&mut self, text: &str) -> Outcome<bool> {
        Ok(self.ask("read")? == text)
    }

    fn ask(&mut self, command: &str) -> Outcome<String> {
        // If the process is dead, this write fails. The call below then fails too, so ignore the
        // error here.
        _ = writeln!(self.input, "{command}");
        self.reply()
    }

    fn reply(&mut self) -> Outcome<String> {
        self.replies.recv_timeout(REPLY_TIMEOUT).map_err(|_| {
            Failure::new(format!("the demo's process {} does not reply", self.child.id()))
        })
    }

    fn kill(mut self) -> Outcome {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(drop).map_err(|error| Failure::new(format!("kill the demo's process: {error}")))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs a process of the demo. It maps the section, and executes one command from each line of
/// standard input.
fn run_peer(name: &str) -> Outcome {
    if let Some(name) = name.strip_suffix(LOCKED) {
        return run_owner(name);
    }
    let section = SectionOptions::new().len(4096).open_or_create(name)?;
    let view = section.map()?;
    let origin = if section.was_created() {
        put(&view, TEXT)?;
        "created"
    } else {
        "opened"
    };
    print(&format!("{origin} {:p}", view.as_ptr()))?;
    for line in io::stdin().lines() {
        let line = line.map_err(|error| Failure::new(format!("read command: {error}")))?;
        match line.split_once(' ') {
            Some(("write", text)) => {
                put(&view, text)?;
                print("ok")?;
            }
            _ => print(&text_in(&view)?)?,
        }
    }
    Ok(())
}

/// Locks the mutex and holds it until the end of standard input.
fn run_owner(name: &str) -> Outcome {
    let mutex = Mutex::open(name)?;
    let _guard = mutex.lock()?;
    print("locked")?;
    io::copy(&mut io::stdin(), &mut io::sink())
        .map(drop)
        .map_err(|error| Failure::new(format!("wait for the end of input: {error}")))
}

/// Writes a text and a NUL into the section.
fn put(view: &View, text: &str) -> pagemate::Result<()> {
    view.write_at(0, text.as_bytes())?;
    view.write_at(text.len(), &[0])
}
