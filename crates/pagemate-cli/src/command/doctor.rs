use std::io::Write;

use clap::Args;
use pagemate::sync::MutexOptions;
use pagemate::{ErrorKind, Name, Namespace, Section, SectionOptions};
use serde::Serialize;

use crate::color::{self, BAD, GOOD, WARNING};
use crate::failure::{Failure, Outcome};
use crate::json::print_json;

/// Check whether this machine supports named memory, and print which settings to change.
///
/// Each check creates an object of its own and closes it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate doctor
  pagemate doctor --json | jq -r '.[] | select(.result != \"ok\").text'

The JSON is an array of objects with check, result (ok, warning or failed) and text.

Exit status:
  0    every check passed
  1    there is a warning
  2    named memory does not work")]
pub(crate) struct Doctor {
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// The outcome of one check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    result: Level,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Failed,
}

impl Finding {
    fn new(check: &'static str, result: Level, text: impl Into<String>) -> Finding {
        Finding { check, result, text: text.into() }
    }
}

impl Doctor {
    pub(crate) fn run(self) -> Outcome {
        let findings: Vec<Finding> = [
            section("local names", Namespace::Local),
            section("global names", Namespace::Global),
            mutex(),
        ]
        .into_iter()
        .chain(system::findings())
        .collect();
        let mut out = color::stdout();
        if self.json {
            print_json(&findings, &mut out)?;
        } else {
            for Finding { check, result, text } in &findings {
                let (style, word) = match result {
                    Level::Ok => (GOOD, "ok"),
                    Level::Warning => (WARNING, "warning"),
                    Level::Failed => (BAD, "failed"),
                };
                let text = wrap(&format!("{check}: {text}"), INDENT, color::terminal_width());
                writeln!(out, "{style}{word:8}{style:#} {text}")?;
            }
        }
        drop(out);
        match findings.iter().map(|finding| finding.result).max() {
            Some(Level::Failed) => Err(Failure::new("named memory does not work here")),
            Some(Level::Warning) => Err(Failure::No("see the warnings above".to_owned())),
            _ => Ok(()),
        }
    }
}

/// The column in which the texts begin.
const INDENT: usize = 9;

/// Breaks a text between words. Lines after the first are indented, and no line is wider than
/// `width`.
fn wrap(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut wrapped = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let len = word.chars().count();
        if column > indent && column + 1 + len > width {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += len;
    }
    wrapped
}

/// Returns an object name that no other process uses.
fn probe_name(namespace: Namespace) -> pagemate::Result<Name> {
    let prefix = match namespace {
        Namespace::Global => r"Global\",
        _ => "",
    };
    format!("{prefix}pagemate-doctor-{}", std::process::id()).parse()
}

/// Checks that a section can be created and opened by its name, and that closing it ends the name.
fn section(check: &'static str, namespace: Namespace) -> Finding {
    let probe = || -> pagemate::Result<Result<(), &str>> {
        let name = probe_name(namespace)?.to_string();
        let created = SectionOptions::new().len(1).create_new(&name)?;
        created.map()?.write_at(0, b"x")?;
        let mut byte = [0];
        Section::open(&name)?.map()?.read_at(0, &mut byte)?;
        drop(created);
        let gone = Section::open(&name).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        Ok(match (byte, gone) {
            ([b'x'], true) => Ok(()),
            ([b'x'], false) => Err("a name still exists after its last holder closed it"),
            _ => Err("an opener does not see the bytes that the creator wrote"),
        })
    };
    match probe() {
        Ok(Ok(())) => Finding::new(
            check,
            Level::Ok,
            "a section was created, opened and closed, and its name ended",
        ),
        Ok(Err(text)) => Finding::new(check, Level::Failed, text),
        // Without the privilege to create global objects, a user can still use local objects, so
        // this is only a warning.
        Err(error)
            if namespace == Namespace::Global && error.kind() == ErrorKind::PermissionDenied =>
        {
            Finding::new(check, Level::Warning, format!("{error:#}"))
        }
        Err(error) => Finding::new(check, Level::Failed, format!("{error:#}")),
    }
}

/// Checks that a mutex can be locked and unlocked.
fn mutex() -> Finding {
    let probe = || -> pagemate::Result<()> {
        let mutex = MutexOptions::new().create_new(probe_name(Namespace::Local)?)?;
        drop(mutex.lock()?);
        Ok(())
    };
    match probe() {
        Ok(()) => Finding::new("locks", Level::Ok, "a mutex was locked and unlocked"),
        Err(error) => Finding::new("locks", Level::Failed, format!("{error:#}")),
    }
}

cfg_select! {
    target_os = "linux" => {
        #[path = "doctor/linux.rs"]
        mod system;
    }
    _ => {
        mod system {
            /// Returns no findings: on other systems, no setting of the system removes objects.
            pub(super) fn findings() -> Vec<super::Finding> {
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn texts_are_broken_between_words() {
        assert_eq!(wrap("a bc def", 2, None), "a bc def");
        assert_eq!(wrap("a bc def", 2, Some(6)), "a bc\n  def");
        assert_eq!(wrap("a bc def", 2, Some(10)), "a bc def");
        assert_eq!(wrap("abcdefg h", 2, Some(5)), "abcdefg\n  h");
    }
}
