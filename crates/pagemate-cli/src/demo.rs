//! What pagemate is, shown with real processes, each claim checked while it is shown.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use pagemate::{ErrorKind, Section, SectionOptions, inventory};

const TEXT: &str = "This is common data!";

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A child process, killed and reaped at the latest when dropped.
struct Holder {
    child: Child,
    line: String,
}

impl Holder {
    /// Starts `pagemate share` and waits for its line.
    fn start(name: &str, text: &str) -> Result<Holder, Box<dyn std::error::Error>> {
        let mut child = Command::new(env::current_exe()?)
            .args(["share", name, "--text", text, "--hold", "60"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Holder { child, line: line.trim_end().to_owned() })
    }

    fn kill(mut self) -> Outcome {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn claim(text: &str, holds: bool) -> Outcome {
    println!("  {} {text}", if holds { "ok" } else { "NOT TRUE:" });
    if holds { Ok(()) } else { Err(format!("the demo's claim does not hold: {text}").into()) }
}

/// Whether nobody holds the name.
fn gone(name: &str) -> bool {
    Section::open(name).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

pub(crate) fn run() -> Outcome {
    let name = format!("pagemate-demo-{}", std::process::id());

    println!("One page, several address spaces");
    let writer = Holder::start(&name, TEXT)?;
    println!("  process {} says: {}", writer.child.id(), writer.line);
    claim("the first process created the memory", writer.line.starts_with("Write shared memory"))?;
    let reader = Holder::start(&name, "something else")?;
    println!("  process {} says: {}", reader.child.id(), reader.line);
    claim("the second one found it, and read its text", reader.line.ends_with(TEXT))?;

    println!("A write is seen on the other side at once");
    let section = Section::open(&name)?;
    let (here, there) = (section.map()?, section.map()?);
    println!("  this process maps it twice: at {:p} and at {:p}", here.as_ptr(), there.as_ptr());
    here.write_at(0, b"THIS")?;
    let mut seen = [0; 4];
    there.read_at(0, &mut seen)?;
    claim("what one view writes, the other reads", &seen == b"THIS")?;
    drop((here, there, section));

    println!("kill -9 is a normal way to let go");
    writer.kill()?;
    let section = Section::open(&name)?;
    let mut seen = [0; TEXT.len()];
    section.map()?.read_at(0, &mut seen)?;
    claim("the creator was killed, and the data is still there", seen[..4] == *b"THIS")?;
    drop(section);
    reader.kill()?;
    claim("the last holder was killed, and the name is gone", gone(&name))?;
    let fresh = SectionOptions::new().len(TEXT.len() as u64).create_new(&name)?;
    fresh.map()?.read_at(0, &mut seen)?;
    claim("who creates it anew gets zeroed memory", seen.iter().all(|byte| *byte == 0))?;
    drop(fresh);
    // A child that was just starting elsewhere in this process may still be letting go.
    thread::sleep(Duration::from_millis(1));
    let left = inventory::list()?.iter().any(|entry| entry.name.as_str() == name);
    claim("nothing is left behind", !left && gone(&name))
}
