//! Linux: `inotify(7)` on the directory of the name.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::name::Name;
use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};
use crate::sys::object::unix::location::resolve;
use crate::sys::object::wait_for_name::Poll;

/// A watch for the creation of a name.
#[derive(Debug)]
pub(crate) struct NameWatch<'a> {
    name: &'a Name,
    /// `None` where the kernel refuses a watch: `max_user_instances` and `max_user_watches` limit the
    /// watches of a user, and some sandboxes lack the calls.
    queue: Option<Queue>,
    poll: Poll,
}

impl NameWatch<'_> {
    pub(crate) fn new(name: &Name) -> NameWatch<'_> {
        NameWatch { name, queue: Queue::new(name), poll: Poll::default() }
    }

    /// Blocks until the name may have been created, for at most `time`.
    pub(crate) fn wait(&mut self, time: Duration) {
        match &self.queue {
            None => self.poll.wait(time),
            Some(queue) => match queue.wait(time) {
                Ok(Outcome::Appeared | Outcome::TimedOut) => {}
                // The directory was removed or moved. A new object gets its name in another
                // directory.
                Ok(Outcome::DirectoryLost) => self.queue = Queue::new(self.name),
                Err(_) => self.queue = None,
            },
        }
    }
}

/// The queue of the kernel's events for one directory.
#[derive(Debug)]
struct Queue {
    inotify: OwnedFd,
    file: FileName,
}

/// The reason why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Appeared,
    DirectoryLost,
    TimedOut,
}

impl Queue {
    fn new(name: &Name) -> Option<Queue> {
        // Ignore an error of the directory: the next attempt to open the name reports it.
        let location = resolve::shared_location(name).ok()?;
        Queue::watching(&location).ok()
    }

    fn watching(location: &FileLocation) -> rustix::io::Result<Queue> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = above_standard_streams(inotify)?;
        // A name is created by a link or by a rename.
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, location.dir.path(), flags)?;
        Ok(Queue { inotify, file: location.file.clone() })
    }

    /// Blocks until an event of the name or of the directory itself, for at most `time`. Events of
    /// other names do not end the wait.
    fn wait(&self, time: Duration) -> rustix::io::Result<Outcome> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Outcome::TimedOut);
            }
            let left = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
            let mut ready = [PollFd::new(&self.inotify, PollFlags::IN)];
            match poll(&mut ready, Some(&left)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            if let Some(outcome) = read_events(self.inotify.as_fd(), &self.file)? {
                return Ok(outcome);
            }
        }
    }
}

/// Empties the queue. Returns the outcome if an event concerns the name or the directory.
fn read_events(queue: BorrowedFd<'_>, file: &FileName) -> rustix::io::Result<Option<Outcome>> {
    let lost =
        ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
    let mut bytes = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(queue, &mut bytes);
    let mut outcome = None;
    loop {
        match events.next() {
            Ok(event) if event.events().intersects(lost) => outcome = Some(Outcome::DirectoryLost),
            // The queue has overflowed, so the event of the name may be lost.
            Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                outcome = outcome.or(Some(Outcome::Appeared));
            }
            Ok(event) if event.file_name() == Some(file.as_c_str()) => {
                outcome = outcome.or(Some(Outcome::Appeared));
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(outcome),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_name_ends_a_wait_and_other_files_do_not() {
        let name = Name::new(&format!(r"Global\watch-{}", std::process::id())).unwrap();
        let location = resolve::shared_location(&name).unwrap();
        let queue = Queue::watching(&location).unwrap();
        let other = location.dir.path().join(format!("pagemate-other-{}", std::process::id()));
        std::fs::write(&other, "").unwrap();
        assert_eq!(queue.wait(Duration::from_millis(20)), Ok(Outcome::TimedOut));
        std::fs::rename(&other, location.path()).unwrap();
        assert_eq!(queue.wait(Duration::from_secs(30)), Ok(Outcome::Appeared));
        std::fs::remove_file(location.path()).unwrap();
    }
}
