use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use pagemate::Name;
use pagemate_wine::{Change, Listed, Options, Prefix};
use serde::Serialize;

use crate::bytes::human;
use crate::color;
use crate::failure::{self, Failure, Outcome};
use crate::filter::Filter;
use crate::signals::StopRequests;
use crate::table::{self, Alignment, Cell, Column};
use crate::text::escape_line;

/// The file name of the helper, which is beside this program or below its prefix.
const HELPER: &str = "pagemate-wine-helper.exe";

/// The time between two tests for a signal.
const TICK: Duration = Duration::from_millis(250);

/// Give the named sections of Windows programs under Wine or Proton the same names natively.
///
/// While the bridge runs, each section of the prefix that matches NAME has its name here, too: 'pagemate
/// list' shows it, and every pagemate program opens it. Nothing is copied. The name ends with the section,
/// and the bridge keeps no section alive. It prints a line for each name that comes or goes.
///
/// The bridge waits until a program runs in the prefix, and ends with its last program, with Ctrl-C or with
/// 'kill'. Without an option it bridges the prefix of the environment variable WINEPREFIX, or ~/.wine.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pagemate bridge --prefix ~/games/sim
  pagemate bridge --steam 805550 'acpmf_*'
  pagemate bridge --pid 4711 --json
  pagemate bridge --to-wine 'overlay-*' --event 'Local\\IRSDKDataValidEvent'
  pagemate bridge --list

Each line of the JSON is an object: 'change' is connected, appeared, ended,
offered or withdrawn (--to-wine), event (--event), refused or disconnected;
'name', 'size' and 'cause' follow where they apply.
With --list it has 'name', 'size' and 'cause' only.

Environment:
  PAGEMATE_WINE_HELPER    the path of pagemate-wine-helper.exe, if it is not
                          installed with this program

Exit status:
  0    the prefix or a signal ended the bridge, or the list was printed
  1    --list: no section matches
  2    failure")]
pub(crate) struct Bridge {
    /// Bridge only the sections whose names match one of these patterns: see 'pagemate list --help'.
    #[arg(value_name = "NAME", value_parser = Filter::new)]
    patterns: Vec<Filter>,
    /// Bridge the Wine prefix in this directory.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["steam", "pid"])]
    prefix: Option<PathBuf>,
    /// Bridge the Proton prefix of the Steam game with this number.
    #[arg(long, value_name = "APPID", conflicts_with = "pid")]
    steam: Option<u32>,
    /// Bridge the prefix of this process, a Windows program.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Give native sections whose names match this pattern to Windows programs. Repeat it for several.
    #[arg(long, value_name = "PATTERN", value_parser = Filter::new)]
    to_wine: Vec<Filter>,
    /// Set a native event of this name whenever Windows programs set theirs. Repeat it for several.
    ///
    /// The bridge consumes signals of an event with auto reset, like any other waiter.
    #[arg(long, value_name = "NAME", value_parser = event_name)]
    event: Vec<Name>,
    /// Print the sections that exist now, and bridge none.
    #[arg(long)]
    list: bool,
    /// Print JSON, one object in each line.
    #[arg(long)]
    json: bool,
}

/// A line of the JSON.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl Bridge {
    pub(crate) fn run(self) -> Outcome {
        let prefix = match (&self.prefix, self.steam, self.pid) {
            (Some(dir), ..) => Prefix::Dir(dir.clone()),
            (_, Some(id), _) => Prefix::Steam(id),
            (.., Some(pid)) => Prefix::Process(pid),
            _ => Prefix::Default,
        };
        let dir = prefix.dir().map_err(failed)?;
        let patterns = self.patterns.clone();
        let options = Options::new(&dir, helper()?)
            .names(move |name| patterns.is_empty() || matches(&patterns, name));
        let options = self.event.iter().cloned().fold(options, Options::event);
        let options = match self.to_wine.clone() {
            filters if filters.is_empty() => options,
            filters => options.to_wine(move |name| matches(&filters, name)),
        };
        if self.list {
            return self.print_list(&pagemate_wine::Bridge::list(&options).map_err(failed)?);
        }
        let stop = StopRequests::install()?;
        let mut bridge = pagemate_wine::Bridge::new(options).map_err(failed)?;
        if !self.json {
            failure::print_note(&format!("waiting for a program in the prefix {}", dir.display()));
        }
        while !stop.is_pending() {
            let Some(change) = bridge.next(TICK).map_err(failed)? else { continue };
            self.print(&change)?;
            if matches!(change, Change::PrefixEnded) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Prints the line for a change.
    fn print(&self, change: &Change) -> Outcome {
        let (word, name, size, cause) = match change {
            Change::Connected => ("connected", None, None, None),
            Change::Appeared { name, len } => {
                ("appeared", Some(name.to_string()), Some(*len), None)
            }
            Change::Ended { name } => ("ended", Some(name.to_string()), None, None),
            Change::Refused { name, cause } => {
                ("refused", Some(name.clone()), None, Some(cause.as_str()))
            }
            Change::Offered { name, len } => ("offered", Some(name.to_string()), Some(*len), None),
            Change::Withdrawn { name } => ("withdrawn", Some(name.to_string()), None, None),
            Change::EventAppeared { name } => ("event", Some(name.to_string()), None, None),
            Change::PrefixEnded => ("disconnected", None, None, None),
            _ => return Ok(()),
        };
        let mut out = io::stdout().lock();
        if self.json {
            let line = Line { change: Some(word), name: name.as_deref(), size, cause };
            return print_line(&line, out);
        }
        let name = name.map(|name| format!(" {}", escape_line(&name))).unwrap_or_default();
        let size = size.map(|size| format!(" ({})", human(size))).unwrap_or_default();
        let cause = cause.map(|cause| format!(": {}", escape_line(cause))).unwrap_or_default();
        writeln!(out, "{word}{name}{size}{cause}")?;
        Ok(out.flush()?)
    }

    fn print_list(&self, sections: &[Listed]) -> Outcome {
        if self.json {
            for section in sections {
                let (size, cause) = match &section.len {
                    Ok(len) => (Some(*len), None),
                    Err(cause) => (None, Some(cause.as_str())),
                };
                let line = Line { change: None, name: Some(&section.name), size, cause };
                print_line(&line, io::stdout().lock())?;
            }
        } else if !sections.is_empty() {
            const COLUMNS: [Column; 2] = [
                Column { title: "NAME", alignment: Alignment::Left, min: 12, keep: 20, rank: 0 },
                Column { title: "SIZE", alignment: Alignment::Right, min: 10, keep: 10, rank: 1 },
            ];
            let rows = sections.iter().map(|section| {
                let size = section.len.as_ref().map_or_else(Clone::clone, |len| human(*len));
                [Cell::new(escape_line(&section.name)), Cell::new(size)]
            });
            let table = table::format(COLUMNS, rows.collect(), color::terminal_width());
            write!(color::stdout(), "{table}")?;
        }
        if sections.is_empty() {
            return Err(Failure::No("bridge: no section of the prefix matches".to_owned()));
        }
        Ok(())
    }
}

fn print_line(line: &Line<'_>, mut out: impl Write) -> Outcome {
    let json = serde_json::to_string(line)
        .map_err(|error| Failure::new(format!("encode JSON: {error}")))?;
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

/// Returns whether a name matches one of these patterns.
fn matches(filters: &[Filter], name: &Name) -> bool {
    let full = name.to_string();
    filters.iter().any(|filter| filter.matches(&full, name.bare()))
}

fn event_name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

/// Converts an error of the bridge.
#[allow(clippy::needless_pass_by_value, reason = "map_err passes the error by value")]
fn failed(error: pagemate_wine::Error) -> Failure {
    Failure::new(error.to_string())
}

/// Returns the path of the helper: it is beside this program, or in `lib/pagemate` of the same prefix.
fn helper() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("PAGEMATE_WINE_HELPER") {
        return Ok(path.into());
    }
    let own =
        std::env::current_exe().map_err(|error| Failure::new(format!("find {HELPER}: {error}")))?;
    let dir = own.parent().unwrap_or(Path::new("/"));
    let places = [dir.join(HELPER), dir.join("../lib/pagemate").join(HELPER)];
    let found = places.iter().find(|path| path.is_file()).cloned();
    found.ok_or_else(|| {
        Failure::new(format!(
            "find {HELPER}: it is neither {} nor {}; install pagemate with 'cargo xtask dist', or set \
             PAGEMATE_WINE_HELPER to its path",
            places[0].display(),
            places[1].display()
        ))
    })
}
