//! Parses the log of strace(1), and composes the options that make one call fail.

use std::collections::HashMap;
use std::fmt;

/// A system call: the call with this name that is the `number`th of its process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    name: String,
    number: u32,
    /// The call as it was logged.
    text: String,
}

impl Call {
    /// Returns the options with which strace(1) makes the call fail.
    pub(super) fn options(&self, error: &str) -> [String; 4] {
        let (name, number) = (&self.name, self.number);
        let inject = format!("inject={name}:error={error}:when={number}");
        ["-e".to_owned(), format!("trace={name}"), "-e".to_owned(), inject]
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The last system call of Rust's runtime before `main`: it installs a signal stack. Failures of
/// earlier calls concern the loader and the runtime.
const BEFORE_MAIN: &str = "sigaltstack({";

/// Calls that are not made to fail: those that end a process or a thread, those of the allocator
/// and of signal handlers, and those that cannot fail with their arguments, so that libraries do
/// not check their results.
const PASSED_OVER: [&str; 21] = [
    "brk",
    "clock_gettime",
    "exit",
    "exit_group",
    "futex",
    "geteuid",
    "getpid",
    "getrandom",
    "gettid",
    "getuid",
    "munmap",
    "mprotect",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
];

/// The number of calls of one name that are made to fail. Later calls of this name come from
/// further rounds of the same loop, such as the loop of `list` over the descriptors of all
/// processes.
const OF_EACH: usize = 25;

/// The calls of the first process in a log that can be made to fail.
pub(super) fn calls(log: &str) -> Vec<Call> {
    let mut lines = log.lines().filter_map(|line| line.split_once(' '));
    let Some((first, _)) = lines.clone().next() else { return Vec::new() };
    let mut counts: HashMap<&str, u32> = HashMap::new();
    let mut found = Vec::new();
    let mut begun = false;
    for (_, text) in lines.by_ref().filter(|(pid, _)| *pid == first) {
        let text = text.trim_start();
        let Some((name, rest)) = text.split_once('(') else { continue };
        if !name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_') {
            continue;
        }
        let count = counts.entry(name).or_default();
        *count += 1;
        // The allocator maps private memory. If it cannot, it aborts the program.
        let private = name == "mmap" && rest.contains("MAP_PRIVATE") && !rest.contains("MAP_STACK");
        // If the command cannot write its error message, it can only return the exit code.
        let complaint = text.starts_with("write(2,");
        let tried = found.iter().filter(|call: &&Call| call.name == name).count();
        if begun && !private && !complaint && !PASSED_OVER.contains(&name) && tried < OF_EACH {
            found.push(Call { name: name.to_owned(), number: *count, text: text.to_owned() });
        }
        begun = begun || text.starts_with(BEFORE_MAIN);
    }
    found
}

#[test]
fn calls_are_counted_from_the_start_and_told_from_main_on() {
    let log = "\
7 execve(\"p\", [\"p\"], 0x1) = 0
7 openat(AT_FDCWD, \"ld.so\", O_RDONLY) = 3
7 sigaltstack({ss_sp=0x1, ss_flags=0}, NULL) = 0
7 openat(AT_FDCWD, \"x\", O_RDWR) = 3
7 mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x1
7 mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3, 0) = 0x1
8 close(3) = 0
7 <... mmap resumed>) = 0x1
7 +++ exited with 0 +++";
    let shown: Vec<_> = calls(log).iter().map(|call| (call.name.clone(), call.number)).collect();
    assert_eq!(shown, [("openat".to_owned(), 2), ("mmap".to_owned(), 2)]);
}
