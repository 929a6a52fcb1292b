//! Waits for a name: tries to open an object again and again, until some process creates it.

use std::time::Duration;

use super::platform::NameWatch;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;

/// The longest time between two attempts. It is finite although the system reports new names: a file
/// system may be mounted over the directory, and a file system that several machines share reports
/// only the files that this machine creates.
const SLICE: Duration = Duration::from_millis(500);

/// Calls `open` until it finds the object `name`, or until the deadline. The thread sleeps between the
/// attempts.
pub(crate) fn open_before<T>(
    name: &Name,
    deadline: Deadline,
    mut open: impl FnMut() -> Result<T>,
) -> Result<T> {
    let mut watch = None;
    loop {
        let error = match open() {
            // The creator keeps the object busy, for example while a large file grows.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::TimedOut) => {
                error
            }
            result => return result,
        };
        let Some(watch) = &mut watch else {
            if matches!(deadline, Deadline::Now) {
                return Err(error);
            }
            // If the name was created before the watch began, the next attempt finds it.
            watch = Some(NameWatch::new(name));
            continue;
        };
        match deadline.next(SLICE) {
            Some(time) => watch.wait(time),
            None if error.kind() == ErrorKind::NotFound => return Err(not_created()),
            None => return Err(error),
        }
    }
}

fn not_created() -> Error {
    let cause = "no process holds it, and none created it in the given time";
    Error::new(ErrorKind::NotFound, cause)
}

/// A watch that does not learn of new names from the system: it pauses between the attempts to open
/// the name.
#[derive(Debug)]
pub(crate) struct Poll {
    pause: Duration,
}

impl Poll {
    /// The first pause. Each later one is twice as long, up to `LONGEST`.
    const SHORTEST: Duration = Duration::from_millis(1);

    const LONGEST: Duration = Duration::from_millis(50);

    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "the fallback there"))]
    pub(crate) fn new(_: &Name) -> Poll {
        Poll::default()
    }

    /// Sleeps until the next attempt, for at most `time`.
    pub(crate) fn wait(&mut self, time: Duration) {
        std::thread::sleep(self.pause.min(time));
        self.pause = Poll::LONGEST.min(self.pause * 2);
    }
}

impl Default for Poll {
    fn default() -> Poll {
        Poll { pause: Poll::SHORTEST }
    }
}
