//! Real processes for tests: actors, which execute commands, one in each line.
//!
//! An actor is the test program itself, which runs its test `actor` only. It reads commands and
//! answers each with one line. A test waits for the replies, so that no step depends on time. A
//! watchdog ends an actor that hangs.
#![allow(dead_code, reason = "each test program uses a part of the harness")]
#![allow(clippy::print_stdout, reason = "replies go over standard output")]
#![allow(clippy::exit, reason = "an actor ends its process on command")]

#[cfg(target_os = "linux")]
pub(crate) mod channel;
#[cfg(target_os = "linux")]
pub(crate) mod fork;
pub(crate) mod locks;
#[cfg(target_os = "linux")]
pub(crate) mod seccomp;
mod sync;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, fs, process, thread};

use pagemate::{Access, Section, SectionOptions, View, inventory};

/// The environment variable that makes this process an actor. Its value is the prefix of the
/// actor's names.
pub(crate) const ROLE: &str = "PAGEMATE_TEST_ACTOR";

/// The first character of an actor's replies, and of the results of a process that runs one test.
/// It distinguishes them from other lines of the test runner.
pub(crate) const REPLY: char = '@';

/// The time after which a missing reply means that the actor hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Returns a name that no other test and no other run uses.
pub(crate) fn unique(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{test}-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Returns the names of all fault points in the sources below this directory of the package.
pub(crate) fn fault_points(dir: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut fault_points(path.to_str().unwrap()));
        } else {
            let text = fs::read_to_string(path).unwrap();
            let calls = text.split("fault::point(\"").skip(1);
            found.extend(calls.map(|call| call.split('"').next().unwrap().to_owned()));
        }
    }
    found
}

/// A temporary file of a test that is not an object. Dropping it removes the file.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(content: &[u8]) -> Scratch {
        let path = env::temp_dir().join(unique("pagemate-scratch"));
        File::create_new(&path).unwrap().write_all(content).unwrap();
        Scratch { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open(&self, write: bool) -> File {
        File::options().read(true).write(write).open(&self.path).unwrap()
    }

    pub(crate) fn len(&self) -> u64 {
        fs::metadata(&self.path).unwrap().len()
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        self.open(false).read_to_end(&mut content).unwrap();
        content
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

/// The location of the objects of one test, so that tests do not affect each other.
///
/// On Unix this is a directory, and dropping the value removes it with its contents. On Windows all
/// objects share one name space, so there the location is a common prefix of the names.
pub(crate) struct Place {
    path: PathBuf,
    prefix: String,
}

impl Place {
    pub(crate) fn new(test: &str) -> Place {
        let base = if cfg!(target_os = "linux") { "/dev/shm".into() } else { env::temp_dir() };
        let name = format!("pagemate-test-{}", unique(test));
        let path = base.join(&name);
        fs::create_dir(&path).unwrap();
        let prefix = if cfg!(windows) { format!("{name}-") } else { String::new() };
        Place { path, prefix }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts an actor whose objects are in this location.
    pub(crate) fn actor(&self) -> Actor {
        self.actor_with(&[])
    }

    pub(crate) fn actor_with(&self, environment: &[(&str, &str)]) -> Actor {
        let start = || {
            let mut command = Command::new(env::current_exe().unwrap());
            command.args(["actor", "--exact", "--nocapture", "--test-threads=1"]);
            command.env(ROLE, &self.prefix).env("PAGEMATE_DIR", &self.path);
            command.envs(environment.iter().copied());
            Actor::start(command)
        };
        let mut actor = start();
        // On a busy machine Wine occasionally starts a process that ends before it runs.
        let tries = if cfg!(windows) { 5 } else { 0 };
        for _ in 0..tries {
            actor.tell("ready");
            if actor.reply().is_some() {
                break;
            }
            actor = start();
        }
        actor
    }

    /// Returns the files of all objects, live and dead. Empty where objects are not files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = |dir: &Path| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let (dirs, mut files): (Vec<_>, Vec<_>) =
            entries(&self.path).partition(|path| path.is_dir());
        files.extend(dirs.iter().flat_map(|dir| entries(dir)));
        files
    }

    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        assert!(self.files().is_empty(), "left behind: {:?}", self.files());
    }

    /// Returns the directory of this user's objects.
    #[cfg(unix)]
    pub(crate) fn local(&self) -> PathBuf {
        let uid = rustix::process::geteuid().as_raw();
        self.path.join(format!("pagemate-{uid}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.path);
    }
}

/// A child process that executes commands. Dropping it kills and reaps the process.
pub(crate) struct Actor {
    child: Child,
    input: Option<ChildStdin>,
    replies: Receiver<String>,
}

impl Actor {
    /// Starts a program whose replies are lines that begin with [`REPLY`].
    pub(crate) fn start(mut command: Command) -> Actor {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, replies) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, reply)) = line.split_once(REPLY)
                    && sender.send(reply.to_owned()).is_err()
                {
                    break;
                }
            }
        });
        Actor { child, input, replies }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a command without waiting for its reply.
    pub(crate) fn tell(&mut self, command: &str) {
        // Ignore an error: if the actor is dead, the test notices that its reply is missing.
        _ = writeln!(self.input.as_mut().unwrap(), "{command}");
    }

    /// Returns the reply to an earlier command; `None` if the actor has died.
    pub(crate) fn reply(&mut self) -> Option<String> {
        match self.replies.recv_timeout(TIMEOUT) {
            Ok(reply) => Some(reply),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("actor {} hangs", self.id()),
        }
    }

    /// Returns the reply if it arrives within this time.
    pub(crate) fn has_replied(&mut self, within: Duration) -> Option<String> {
        self.replies.recv_timeout(within).ok()
    }

    /// Sends a command and returns its reply.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.reply().unwrap_or_else(|| panic!("actor {} died of {command:?}", self.id()))
    }

    /// Sends a command and asserts its reply.
    #[track_caller]
    pub(crate) fn expect(&mut self, command: &str, reply: &str) {
        assert_eq!(self.ask(command), reply, "{command}");
    }

    /// Ends the process in the given way, and waits for its end.
    pub(crate) fn end(mut self, way: &str) {
        match way {
            "kill" => self.child.kill().unwrap(),
            _ => self.tell(way),
        }
        self.input = None;
        self.child.wait().unwrap();
    }

    /// Returns whether the process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(mut self) -> process::ExitStatus {
        self.child.wait().unwrap()
    }
}

#[cfg(unix)]
impl Actor {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Returns whether the process is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Waits until the process is stopped.
    pub(crate) fn wait_stopped(&self) {
        for _ in 0..30_000 {
            if self.is_stopped() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("actor {} does not stop", self.id());
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The body of each test program's `actor` test. It returns at once unless this process is an
/// actor.
pub(crate) fn actor() {
    let Ok(prefix) = env::var(ROLE) else { return };
    let mut stage = Stage { prefix, ..Stage::default() };
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let mut words: Vec<&str> = line.split(' ').collect();
        let names_at = match words[0] {
            "why" | "thread" => 2..3,
            "any" | "all" => 2..words.len(),
            _ => 1..2,
        };
        let placed: Vec<_> = words.iter().map(|word| stage.placed(word)).collect();
        for (at, word) in words.iter_mut().enumerate().filter(|(at, _)| names_at.contains(at)) {
            *word = &placed[at];
        }
        let reply = stage.play(&words).unwrap_or_else(|error| format!("{:?}", error.kind()));
        println!("{REPLY}{}", reply.replace(&stage.prefix, ""));
    }
    // The standard input has ended: the parent has died, or requests an ordinary end.
    process::exit(0);
}

/// The objects that an actor holds.
#[derive(Default)]
struct Stage {
    /// The prefix of the names in its location.
    prefix: String,
    sections: HashMap<String, Section>,
    views: HashMap<String, View>,
    desk: sync::Desk,
}

impl Stage {
    /// Returns the name of an object in this location.
    fn placed(&self, name: &str) -> String {
        let (namespace, bare) =
            name.strip_prefix(r"Global\").map_or(("", name), |bare| (r"Global\", bare));
        format!("{namespace}{}{bare}", self.prefix)
    }

    /// Executes one command, and returns its reply.
    #[allow(clippy::too_many_lines, reason = "a list of commands")]
    fn play(&mut self, words: &[&str]) -> pagemate::Result<String> {
        let ok = || Ok("ok".to_owned());
        let parse = |text: &str| text.parse::<u64>().unwrap();
        if let Some(reply) = self.desk.play(words, &self.sections) {
            return reply;
        }
        match *words {
            ["create", name, len] => {
                let section = SectionOptions::new().len(parse(len)).create_new(name)?;
                self.keep(name, section)
            }
            ["sparse", name, len] => {
                let section =
                    SectionOptions::new().len(parse(len)).sparse(true).create_new(name)?;
                self.keep(name, section)
            }
            ["share", name, len] => {
                let section = SectionOptions::new().len(parse(len)).open_or_create(name)?;
                let made = if section.was_created() { "created" } else { "opened" };
                self.keep(name, section)?;
                Ok(made.to_owned())
            }
            ["create-over", name, path, len] => {
                let file = File::options().read(true).write(true).open(path).unwrap();
                let section = SectionOptions::new().file(&file).len(parse(len)).create_new(name)?;
                self.keep(name, section)
            }
            ["share-over", name, path, len] => {
                let file = File::options().read(true).write(true).open(path).unwrap();
                let mut options = SectionOptions::new();
                let section = options.file(&file).len(parse(len)).open_or_create(name)?;
                let made = if section.was_created() { "created" } else { "opened" };
                self.keep(name, section)?;
                Ok(made.to_owned())
            }
            #[cfg(target_os = "linux")]
            ["mirror", name, path] => self.mirror(name, path),
            #[cfg(target_os = "linux")]
            ["check", name] => self.sections[name].check_name().map(|()| "ok".to_owned()),
            ["open", name] => {
                let section = Section::open(name)?;
                self.keep(name, section)
            }
            ["open-read", name] => {
                let section = SectionOptions::new().access(Access::Read).open(name)?;
                self.keep(name, section)
            }
            ["within", name, "section", time] => {
                let section = Section::open_within(name, Duration::from_millis(parse(time)))?;
                self.keep(name, section)
            }
            ["probe", name] => Section::open(name).map(|_| "ok".to_owned()),
            ["write", name, value] => {
                self.views[name].write(0, &value.parse::<u64>().unwrap())?;
                ok()
            }
            ["read", name] => Ok(self.views[name].read::<u64>(0)?.to_string()),
            ["read-at", name, at] => {
                let at = usize::try_from(parse(at)).unwrap();
                Ok(self.views[name].read::<u64>(at)?.to_string())
            }
            ["zero", name] => {
                let mut bytes = vec![1; self.views[name].len()];
                self.views[name].read_at(0, &mut bytes)?;
                Ok(bytes.iter().all(|byte| *byte == 0).to_string())
            }
            ["close", name] => {
                self.views.remove(name);
                self.sections.remove(name);
                ok()
            }
            ["unmap", name] => {
                self.views.remove(name);
                ok()
            }
            ["drop-handle", name] => {
                self.sections.remove(name);
                ok()
            }
            ["list"] => {
                let here = |entry: &inventory::Entry| entry.name.bare().starts_with(&self.prefix);
                let entries = inventory::list()?.entries.into_iter().filter(here);
                let names = entries.map(|entry| entry.name.to_string());
                Ok(names.collect::<Vec<_>>().join(" "))
            }
            ["holders", name] => {
                let pids = inventory::find(name)?.holders;
                Ok(pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
            }
            ["prune"] => Ok(inventory::prune()?.objects.to_string()),
            ["why", "open", name] => Ok(match Section::open(name) {
                Ok(_) => "ok".to_owned(),
                Err(error) => format!("{error:#}"),
            }),
            ["why", "create", name, len] => {
                Ok(match SectionOptions::new().len(parse(len)).create_new(name) {
                    Ok(_) => "ok".to_owned(),
                    Err(error) => format!("{error:#}"),
                })
            }
            ["ready"] => ok(),
            ["exit"] => process::exit(0),
            // Panic, so that unwinding drops all objects, as in a program that panics.
            ["panic"] => panic!("an actor was told to"),
            _ => panic!("an actor does not know {words:?}"),
        }
    }

    #[cfg(target_os = "linux")]
    fn mirror(&mut self, name: &str, path: &str) -> pagemate::Result<String> {
        use pagemate::os::unix::SectionOptionsExt as _;
        let file = File::options().read(true).write(true).open(path).unwrap();
        let section = SectionOptions::new().mirror(&file, "a test").create_new(name)?;
        self.keep(name, section)
    }

    fn keep(&mut self, name: &str, section: Section) -> pagemate::Result<String> {
        self.views.insert(name.to_owned(), section.map()?);
        self.sections.insert(name.to_owned(), section);
        Ok("ok".to_owned())
    }
}
