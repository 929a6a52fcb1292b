use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, io, thread};

use clap::Args;
use pagemate::{ErrorKind, Section, SectionOptions, View, inventory};

use crate::failure::{Failure, Outcome};

/// Show in a few seconds what pagemate is, with real processes; fails if a claim does not hold.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pagemate demo")]
pub(crate) struct Demo {}

/// Set for the demo's own processes: the name that they are about.
const PART: &str = "PAGEMATE_DEMO_PART";

const TEXT: &str = "This is common data!";
const ANSWER: &str = "THIS is common data, too";

/// Nothing that the demo waits for takes this long.
const PATIENCE: Duration = Duration::from_secs(10);

impl Demo {
    pub(crate) fn run(Demo {}: Demo) -> Outcome {
        match env::var(PART) {
            Ok(name) => play(&name),
            Err(_) => show(),
        }
    }
}

fn show() -> Outcome {
    let name = format!("pagemate-demo-{}", std::process::id());

    say("One page, two processes, an address in each")?;
    let mut writer = Part::start("A", &name)?;
    claim("A created the memory and wrote into it", writer.origin == "created")?;
    let mut reader = Part::start("B", &name)?;
    claim("B found it, and reads A's text", reader.origin == "opened" && reader.reads(TEXT)?)?;

    say("A write in one is there in the other at once")?;
    reader.ask(&format!("write {ANSWER}"))?;
    claim("B wrote, and A reads that", writer.reads(ANSWER)?)?;
    let holders = inventory::find(&name)?.holders;
    let both = [writer.id(), reader.id()].iter().all(|id| holders.contains(id));
    // Not every system tells who holds an object.
    if !holders.is_empty() {
        claim("the list of live objects names both as holders", both)?;
    }

    say("kill -9 is a normal way to let go")?;
    writer.kill()?;
    claim("A was killed, and B still has the data", reader.reads(ANSWER)?)?;
    claim("whoever opens the name now finds it too", text_of(&name)? == ANSWER)?;
    if cfg!(target_os = "linux") {
        claim("the memory is one file, while anybody holds it", files(&name).len() == 1)?;
    }
    reader.kill()?;
    claim("B was killed, the last one, and the name is gone", is_gone(&name))?;
    claim("the list of live objects has no trace of it", inventory::find(&name).is_err())?;
    if cfg!(target_os = "linux") {
        claim("no file is left where it stood", files(&name).is_empty())?;
    }
    let fresh = SectionOptions::new().len(4096).create_new(&name)?;
    let mut bytes = [1; 4096];
    fresh.map()?.read_at(0, &mut bytes)?;
    claim("who makes it anew gets zeroed memory", bytes == [0; 4096])?;
    drop(fresh);
    claim("and lets go as quietly", is_gone(&name) && files(&name).is_empty())
}

fn say(line: &str) -> Outcome {
    Ok(writeln!(io::stdout(), "{line}")?)
}

fn claim(text: &str, holds: bool) -> Outcome {
    if holds {
        return say(&format!("  ok  {text}"));
    }
    say(&format!("  NO  {text}"))?;
    Err(Failure::new(format!("the demo's claim does not hold: {text}")))
}

fn is_gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn text_of(name: &str) -> Outcome<String> {
    Ok(text_in(&Section::open(name)?.map()?)?)
}

fn text_in(view: &View) -> pagemate::Result<String> {
    let mut bytes = vec![0; view.len()];
    view.read_at(0, &mut bytes)?;
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// The files of an object, found without asking pagemate. The demo's names are spelled as they
/// are.
fn files(name: &str) -> Vec<PathBuf> {
    let base = env::var_os("PAGEMATE_DIR").filter(|dir| !dir.is_empty());
    let base = base.map_or_else(|| "/dev/shm".into(), PathBuf::from);
    let dirs = fs::read_dir(base).into_iter().flatten().flatten();
    let dirs = dirs.filter(|dir| dir.file_name().to_string_lossy().starts_with("pagemate"));
    dirs.map(|dir| dir.path().join(name)).filter(|file| file.exists()).collect()
}

/// A process of the demo, killed and reaped at the latest when dropped. If the demo itself is
/// killed, the end of its input ends it.
struct Part {
    child: Child,
    input: ChildStdin,
    replies: Receiver<String>,
    origin: String,
}

impl Part {
    fn start(title: &str, name: &str) -> Outcome<Part> {
        let failure = |error: io::Error| Failure::new(format!("start process {title}: {error}"));
        let mut child = Command::new(env::current_exe().map_err(failure)?)
            .arg("demo")
            .env(PART, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failure)?;
        let input = child.stdin.take().expect("it was asked for");
        let output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let (sender, replies) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut part = Part { child, input, replies, origin: String::new() };
        let reply = part.reply()?;
        let (origin, address) = reply.split_once(' ').unwrap_or((&reply, "nowhere"));
        say(&format!("  process {title}, pid {}, {origin} it at {address}", part.id()))?;
        origin.clone_into(&mut part.origin);
        Ok(part)
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    fn reads(&mut self, text: &str) -> Outcome<bool> {
        Ok(self.ask("read")? == text)
    }

    fn ask(&mut self, command: &str) -> Outcome<String> {
        // A dead process shows in its missing reply.
        _ = writeln!(self.input, "{command}");
        self.reply()
    }

    fn reply(&mut self) -> Outcome<String> {
        self.replies.recv_timeout(PATIENCE).map_err(|_| {
            Failure::new(format!("the demo's process {} does not answer", self.child.id()))
        })
    }

    fn kill(mut self) -> Outcome {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(drop).map_err(|error| Failure::new(format!("kill a process: {error}")))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// One of the demo's processes: does what it is told, line by line, until the end of input.
fn play(name: &str) -> Outcome {
    let section = SectionOptions::new().len(4096).open_or_create(name)?;
    let view = section.map()?;
    let origin = if section.was_created() {
        put(&view, TEXT)?;
        "created"
    } else {
        "opened"
    };
    say(&format!("{origin} {:p}", view.as_ptr()))?;
    for line in io::stdin().lines() {
        let line = line.map_err(|error| Failure::new(format!("read command: {error}")))?;
        match line.split_once(' ') {
            Some(("write", text)) => {
                put(&view, text)?;
                say("ok")?;
            }
            _ => say(&text_in(&view)?)?,
        }
    }
    Ok(())
}

fn put(view: &View, text: &str) -> pagemate::Result<()> {
    view.write_at(0, text.as_bytes())?;
    view.write_at(text.len(), &[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_does_not_hold_ends_the_demo() {
        assert!(claim("one is one", true).is_ok());
        let Err(Failure::Failed(text)) = claim("one is two", false) else { panic!("it went on") };
        assert!(text.ends_with("does not hold: one is two"), "{text}");
    }
}
