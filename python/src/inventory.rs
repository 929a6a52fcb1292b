//! Live objects: `list`, `info` and `prune`.

use std::path::PathBuf;
use std::time::SystemTime;

use pagemate::inventory::{self, Entry, State};
use pagemate::sync::Reset;
use pagemate::{Kind, Protection};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::argument;
use crate::error::{Result, exception};

/// Registers the functions and the class.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Info>()?;
    module.add_function(wrap_pyfunction!(list, module)?)?;
    module.add_function(wrap_pyfunction!(info, module)?)?;
    module.add_function(wrap_pyfunction!(prune, module)?)
}

/// A live object, as it was when it was listed.
#[pyclass(frozen, module = "pagemate")]
struct Info {
    /// The name, with the prefix `Global\` if it has it.
    #[pyo3(get)]
    name: String,
    /// The kind: `"section"`, `"mutex"`, `"event"`, `"semaphore"` or `"channel"`.
    #[pyo3(get)]
    kind: &'static str,
    /// The size of its memory in bytes.
    #[pyo3(get)]
    size: u64,
    /// The upper limit for its views: `"read-only"` or `"read-write"`.
    #[pyo3(get)]
    protection: &'static str,
    /// The other users that may open it, as the argument `sharing` of `create`.
    #[pyo3(get)]
    sharing: &'static str,
    /// The time of its creation in seconds since 1970, or `None` where the system does not store it.
    #[pyo3(get)]
    created: Option<f64>,
    /// The pid of its creator, or `None` where the system does not store it.
    #[pyo3(get)]
    creator: Option<u32>,
    /// The uid of its owner, or `None` on Windows.
    #[pyo3(get)]
    owner: Option<u32>,
    /// The pids of the processes that hold it, as far as this user may inspect them.
    #[pyo3(get)]
    holders: Vec<u32>,
    /// The path of the file under a section over a file.
    #[pyo3(get)]
    file: Option<PathBuf>,
    /// The approximate number of threads that wait for a lock, an event or a semaphore.
    #[pyo3(get)]
    waiting: Option<u32>,
    state: Option<State>,
}

impl From<Entry> for Info {
    fn from(entry: Entry) -> Info {
        let since_1970 = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|age| age.as_secs_f64())
        };
        Info {
            name: entry.name.to_string(),
            kind: word(entry.kind),
            size: entry.len,
            protection: protection(entry.protection),
            sharing: argument::sharing_word(entry.sharing),
            created: entry.created.and_then(since_1970),
            creator: entry.creator,
            owner: entry.owner,
            holders: entry.holders,
            file: entry.file,
            waiting: entry.waiting,
            state: entry.state,
        }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Section => "section",
        Kind::Mutex => "mutex",
        Kind::Event => "event",
        Kind::Semaphore => "semaphore",
        Kind::Channel => "channel",
        _ => "unknown",
    }
}

/// Returns the word for a protection.
pub(crate) fn protection(protection: Protection) -> &'static str {
    match protection {
        Protection::ReadOnly => "read-only",
        _ => "read-write",
    }
}

#[pymethods]
impl Info {
    /// The state of a lock, an event, a semaphore or a channel as a dictionary; `None` for a section.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let fields = PyDict::new(py);
        match self.state {
            Some(State::Mutex { owner, abandoned, .. }) => {
                fields.set_item("owner", owner)?;
                fields.set_item("abandoned", abandoned)?;
            }
            Some(State::Event { reset, signaled, .. }) => {
                fields.set_item("signaled", signaled)?;
                fields.set_item("reset", if reset == Reset::Auto { "auto" } else { "manual" })?;
            }
            Some(State::Semaphore { count, max, .. }) => {
                fields.set_item("count", count)?;
                fields.set_item("max", max)?;
            }
            Some(State::Channel {
                kind,
                pending,
                capacity,
                senders,
                receivers,
                sent,
                received,
                lost,
                ..
            }) => {
                fields.set_item("channel", kind.to_string())?;
                let counts = [("pending", pending), ("capacity", capacity), ("sent", sent)];
                let more = [("received", received), ("lost", lost)];
                let ends = [("senders", senders.into()), ("receivers", receivers.into())];
                for (field, count) in counts.into_iter().chain(more).chain(ends) {
                    fields.set_item(field, count)?;
                }
            }
            _ => return Ok(None),
        }
        Ok(Some(fields))
    }

    fn __repr__(&self) -> String {
        format!("<pagemate.Info {} {:?}, {} bytes>", self.kind, self.name, self.size)
    }
}

/// Returns the live objects, and the errors for damaged ones and for directories that cannot be read.
#[pyfunction]
#[pyo3(name = "_list")]
fn list(py: Python<'_>) -> Result<(Vec<Info>, Bound<'_, PyTuple>, Bound<'_, PyTuple>)> {
    let listed = py.detach(inventory::list)?;
    let exceptions = |errors: &[pagemate::Error]| -> PyResult<Bound<'_, PyTuple>> {
        let made = errors.iter().map(|error| exception(py, error));
        PyTuple::new(py, made.collect::<PyResult<Vec<PyErr>>>()?)
    };
    let (damaged, unreachable) = (exceptions(&listed.damaged)?, exceptions(&listed.unreachable)?);
    Ok((listed.entries.into_iter().map(Info::from).collect(), damaged, unreachable))
}

/// Returns the live object named `name`.
///
/// Raises `NotFoundError` if no process holds an object of this name.
#[pyfunction]
fn info(py: Python<'_>, name: &str) -> Result<Info> {
    Ok(py.detach(|| inventory::find(name))?.into())
}

/// Frees the memory that killed processes left, and returns the numbers of removed objects and of bytes.
///
/// Calls that create or list objects also do this in passing.
#[pyfunction]
fn prune(py: Python<'_>) -> Result<(u64, u64)> {
    let pruned = py.detach(inventory::prune)?;
    Ok((pruned.objects, pruned.bytes))
}
