//! The lines that the bridge and its helper exchange: the bridge writes commands to the helper's standard
//! input, and the helper writes reports to its standard output. Each line is a word and its parameters,
//! separated by spaces. A text is written as the hexadecimal digits of its UTF-8.

use std::fmt::{self, Write as _};

/// The version of these lines. The helper reports it first.
pub const VERSION: u32 = 1;

/// The name of an object, without its prefix, in one of the two namespaces of a Windows program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whether the object is in `Global\`.
    pub global: bool,
    /// The name without its prefix.
    pub bare: String,
}

/// A command to the helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Report all sections, with a mapping of each.
    Scan,
    /// Remove the mappings of the last scan.
    Done,
    /// Create a section over the file with this Unix path, and hold it.
    Offer {
        /// The name of the new section.
        key: Key,
        /// Its length in bytes.
        len: u64,
        /// The absolute path of its file.
        path: String,
    },
    /// Close the section that the helper holds.
    Withdraw(Key),
    /// Report the signals of the event with this name, whenever it exists.
    Watch(Key),
}

/// A report of the helper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The first report. At this address the helper has mapped memory of its own.
    Hello {
        /// The version of these lines.
        version: u32,
        /// The address of 64 KiB of memory.
        address: u64,
    },
    /// The reports of a scan follow.
    Begin,
    /// A section, mapped at `address` until the command `Done`.
    Section {
        /// Its name.
        key: Key,
        /// Its length in bytes.
        len: u64,
        /// The address of its first byte.
        address: u64,
    },
    /// A section that the helper could not open or map, with the status of the call.
    Refused {
        /// Its name.
        key: Key,
        /// The status of the native call.
        status: u32,
    },
    /// The end of the reports of a scan.
    End,
    /// The result of `Offer`: 0, or the status of the call that failed.
    Made {
        /// The name of the section.
        key: Key,
        /// The status of the native call.
        status: u32,
    },
    /// The helper has closed the section that `Withdraw` names.
    Withdrawn(Key),
    /// Whether Windows programs have handles to a section that the helper holds.
    Used {
        /// The name of the section.
        key: Key,
        /// Whether there are other handles than the helper's.
        used: bool,
    },
    /// The state of an object that `Watch` names.
    Watched {
        /// The name of the object.
        key: Key,
        /// Its state.
        state: Watched,
    },
}

/// The state of a watched event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// It exists, with manual reset.
    Manual,
    /// It exists, with auto reset.
    Auto,
    /// It was set.
    Set,
    /// It was reset.
    Reset,
    /// It was set, and reset before the helper could read its state.
    Pulsed,
    /// No Windows program holds it any more.
    Ended,
    /// The name belongs to a mutex or a semaphore.
    OtherKind,
}

const WATCHED: [(&str, Watched); 7] = [
    ("manual", Watched::Manual),
    ("auto", Watched::Auto),
    ("set", Watched::Set),
    ("reset", Watched::Reset),
    ("pulsed", Watched::Pulsed),
    ("ended", Watched::Ended),
    ("other", Watched::OtherKind),
];

/// A text as hexadecimal digits. An empty text is a dash.
struct Hex<'a>(&'a str);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_char('-');
        }
        self.0.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn text(word: &str) -> Option<String> {
    if word == "-" {
        return Some(String::new());
    }
    if !word.len().is_multiple_of(2) {
        return None;
    }
    let bytes = word.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        bytes.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.global { "global" } else { "local" }, Hex(&self.bare))
    }
}

/// The words of one line.
struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn number(&mut self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    fn status(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        Some(self.number()? != 0)
    }

    fn key(&mut self) -> Option<Key> {
        let global = match self.word()? {
            "global" => true,
            "local" => false,
            _ => return None,
        };
        Some(Key { global, bare: text(self.word()?)? })
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Scan => f.write_str("scan"),
            Command::Done => f.write_str("done"),
            Command::Offer { key, len, path } => write!(f, "offer {key} {len} {}", Hex(path)),
            Command::Withdraw(key) => write!(f, "withdraw {key}"),
            Command::Watch(key) => write!(f, "watch {key}"),
        }
    }
}

impl Command {
    /// Parses one line. `None` if it is not a command.
    #[must_use]
    pub fn parse(line: &str) -> Option<Command> {
        let mut words = Words(line.split_whitespace());
        Some(match words.word()? {
            "scan" => Command::Scan,
            "done" => Command::Done,
            "offer" => Command::Offer {
                key: words.key()?,
                len: words.number()?,
                path: text(words.word()?)?,
            },
            "withdraw" => Command::Withdraw(words.key()?),
            "watch" => Command::Watch(words.key()?),
            _ => return None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Hello { version, address } => write!(f, "hello {version} {address}"),
            Report::Begin => f.write_str("begin"),
            Report::Section { key, len, address } => write!(f, "section {key} {len} {address}"),
            Report::Refused { key, status } => write!(f, "refused {key} {status}"),
            Report::End => f.write_str("end"),
            Report::Made { key, status } => write!(f, "made {key} {status}"),
            Report::Withdrawn(key) => write!(f, "withdrawn {key}"),
            Report::Used { key, used } => write!(f, "used {key} {}", u8::from(*used)),
            Report::Watched { key, state } => {
                let word = WATCHED.iter().find(|(_, known)| known == state);
                write!(f, "watched {key} {}", word.map_or("ended", |(word, _)| word))
            }
        }
    }
}

impl Report {
    /// Parses one line. `None` if it is not a report.
    #[must_use]
    pub fn parse(line: &str) -> Option<Report> {
        let mut words = Words(line.split_whitespace());
        Some(match words.word()? {
            "hello" => Report::Hello { version: words.status()?, address: words.number()? },
            "begin" => Report::Begin,
            "section" => Report::Section {
                key: words.key()?,
                len: words.number()?,
                address: words.number()?,
            },
            "refused" => Report::Refused { key: words.key()?, status: words.status()? },
            "end" => Report::End,
            "made" => Report::Made { key: words.key()?, status: words.status()? },
            "withdrawn" => Report::Withdrawn(words.key()?),
            "used" => Report::Used { key: words.key()?, used: words.flag()? },
            "watched" => {
                let key = words.key()?;
                let word = words.word()?;
                let state = WATCHED.iter().find(|(known, _)| *known == word)?.1;
                Report::Watched { key, state }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key { global: true, bare: "Tëst $x$ 1".to_owned() }
    }

    #[test]
    fn commands_survive_their_line() {
        let local = Key { global: false, bare: String::new() };
        for command in [
            Command::Scan,
            Command::Done,
            Command::Offer { key: key(), len: 5, path: "/dev/shm/a b".to_owned() },
            Command::Withdraw(local),
            Command::Watch(key()),
        ] {
            assert_eq!(Command::parse(&command.to_string()), Some(command));
        }
        for line in ["", "scam", "offer", "withdraw local 0", "withdraw here 00", "watch local zz"]
        {
            assert_eq!(Command::parse(line), None, "{line}");
        }
    }

    #[test]
    fn reports_survive_their_line() {
        let section = Report::Section { key: key(), len: 5460, address: 0x7f00_0000 };
        for report in [
            Report::Hello { version: VERSION, address: 65536 },
            Report::Begin,
            section,
            Report::Refused { key: key(), status: 0xc000_0022 },
            Report::End,
            Report::Made { key: key(), status: 0 },
            Report::Withdrawn(key()),
            Report::Used { key: key(), used: true },
        ] {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        for (_, state) in WATCHED {
            let report = Report::Watched { key: key(), state };
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        assert_eq!(Report::parse("wine: something failed"), None);
    }
}
