//! The generation of this process: what tells it from its parent and its forked children.
//!
//! A child of any call that copies memory (`fork`, `_Fork`, a bare `clone`) begins a new generation
//! with its first call here. On Linux the kernel tells it so, by a page that is zero in children. On
//! other systems the handlers of `fork(3)` do, which do not run for a bare `_Fork`. Children that share
//! their parent's memory until they start a program (`vfork`, `posix_spawn`) go unnoticed, and rightly:
//! they use nothing of ours.
//!
//! The *parent* learns of a child only by the handlers of `fork(3)`, so that [`Moment`] misses the
//! children of `_Fork` and `clone`.
#![allow(unsafe_code, reason = "pthread_atfork(3), and values that one thread at a time uses")]

use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::page::{self, page, wipe};

/// The generation that this process or its nearest ancestor with one has begun; 0 if none has.
static LAST: AtomicU32 = AtomicU32::new(0);

/// Whether the handlers are there. A child inherits them.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// How often this process and its ancestors were about to fork; 0 until the handlers are there.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// A number that this process has not in common with its parent and its children; never 0.
#[inline]
pub(crate) fn generation() -> u32 {
    match page::generation() {
        0 => begin(Birth::Unnoticed),
        generation => generation,
    }
}

/// How a process with a new generation came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// By `fork(3)`, with its handlers: no thread of the parent was [`Alone`] meanwhile.
    Forked,
    /// By a call that runs no handlers. What the parent's threads kept for themselves may be half
    /// changed.
    Unnoticed,
}

/// A duty that comes with every new generation but the first of all.
#[derive(Debug)]
pub(crate) struct Hook {
    run: fn(Birth, &mut Alone),
    next: AtomicPtr<Hook>,
}

static HOOKS: AtomicPtr<Hook> = AtomicPtr::new(std::ptr::null_mut());

fn hooks() -> impl Iterator<Item = &'static Hook> {
    let follow = |from: &AtomicPtr<Hook>| {
        // SAFETY: pointers to hooks are made from references to statics, in `register`.
        unsafe { from.load(Ordering::Acquire).as_ref() }
    };
    std::iter::successors(follow(&HOOKS), move |hook| follow(&hook.next))
}

impl Hook {
    /// `run` must not wait for a lock that another thread of the parent may have had. It has
    /// [`Alone`] already.
    pub(crate) const fn new(run: fn(Birth, &mut Alone)) -> Hook {
        Hook { run, next: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Makes this run in every child from now on. To register twice is to register once.
    pub(crate) fn register(&'static self, _: &mut Alone) {
        if hooks().any(|hook| std::ptr::eq(hook, self)) {
            return;
        }
        self.next.store(HOOKS.load(Ordering::Relaxed), Ordering::Relaxed);
        // Release: the link before the hook is found.
        HOOKS.store(std::ptr::from_ref(self).cast_mut(), Ordering::Release);
    }
}

#[cold]
fn begin(birth: Birth) -> u32 {
    let mut alone = Alone::enter();
    let own = &page().generation;
    // Another thread may have been faster.
    match own.load(Ordering::Acquire) {
        0 => {}
        generation => return generation,
    }
    watch();
    let parent = LAST.load(Ordering::Relaxed);
    let new = parent.wrapping_add(1).max(1);
    LAST.store(new, Ordering::Relaxed);
    if parent != 0 {
        hooks().for_each(|hook| (hook.run)(birth, &mut alone));
    }
    // Release: for the Acquire in `generation`.
    own.store(new, Ordering::Release);
    new
}

/// Has this process told of its forks, if no ancestor did. A child that was forked while this ran may
/// register a second time: the handlers count how deep they are in.
fn watch() {
    if WATCHED.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the handlers count, take a lock that nobody holds for long, and make system calls, which
    // is allowed wherever a process can fork.
    if unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } == 0 {
        FORKS.fetch_max(1, Ordering::SeqCst);
        WATCHED.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// How many of the handlers that run before a fork this thread has gone through.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs before the child exists, so that neither of the two takes shared descriptions for its own.
extern "C" fn before() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    if DEPTH.replace(DEPTH.get() + 1) == 0 {
        std::mem::forget(Alone::enter());
    }
}

extern "C" fn in_parent() {
    let depth = DEPTH.get();
    DEPTH.set(depth.saturating_sub(1));
    if depth == 1 {
        Alone::leave();
    }
}

extern "C" fn in_child() {
    if DEPTH.replace(0) > 0 {
        wipe();
        _ = begin(Birth::Forked);
    }
}

/// A moment in this process' life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(u64);

/// Now. A file opened after this moment is this process' alone as long as it
/// [has not forked](Moment::has_not_forked_since).
pub(crate) fn now() -> Moment {
    _ = generation();
    Moment(FORKS.load(Ordering::SeqCst))
}

impl Moment {
    /// Whether no child of `fork(3)` can have a copy of a file that this process opened since.
    pub(crate) fn has_not_forked_since(self) -> bool {
        self.0 != 0 && self.0 == FORKS.load(Ordering::SeqCst)
    }
}

/// The one thread of this process that changes its [`PerProcess`] values. A fork waits for it.
///
/// Its lock is in the page that is zero in children, so that no child waits for a thread of its
/// parent.
#[derive(Debug)]
pub(crate) struct Alone(());

impl Alone {
    fn enter() -> Alone {
        let lock = &page().alone;
        let mut tries = 0_u32;
        // Acquire: what the last thread did, by the Release in `leave`.
        // Where the kernel cannot zero the page, a child that was forked before the handlers were there
        // finds the lock of its parent, which no thread of the child will release.
        let (own, mut seen) = (std::process::id(), 0);
        while let Err(holder) =
            lock.compare_exchange(seen, own, Ordering::Acquire, Ordering::Relaxed)
        {
            seen = if holder == own { 0 } else { holder };
            if holder != own {
                continue;
            }
            // It is held for a few system calls, and by a thread that forks.
            if tries < 50 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
            tries = tries.saturating_add(1);
        }
        Alone(())
    }

    fn leave() {
        // Release: for the Acquire in `enter`.
        page().alone.store(0, Ordering::Release);
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        Alone::leave();
    }
}

/// The generation of this process, while it begins or later.
pub(super) fn current(_: &Alone) -> u32 {
    LAST.load(Ordering::Relaxed)
}

/// Waits until no other thread is alone.
pub(crate) fn alone() -> Alone {
    _ = generation();
    Alone::enter()
}

/// A value of one process, which a child begins anew.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(UnsafeCell<Option<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    generation: u32,
    value: ManuallyDrop<T>,
}

// SAFETY: a thread that reaches the value is `Alone`, or has the cell to itself.
unsafe impl<T: Send> Sync for PerProcess<T> {}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess(UnsafeCell::new(None))
    }

    /// The value of this process.
    pub(crate) fn get<'a>(&'a self, _: &'a mut Alone) -> &'a mut T {
        let now = LAST.load(Ordering::Relaxed);
        // SAFETY: nobody else is alone, and one `Alone` is lent to one value at a time.
        let place = unsafe { &mut *self.0.get() };
        if place.as_ref().is_none_or(|kept| kept.generation != now) {
            // The parent's, which may be half changed, is not dropped.
            *place = Some(Kept { generation: now, value: ManuallyDrop::new(T::default()) });
        }
        &mut place.as_mut().expect("it was just made").value
    }

    /// The value of the parent, in a child that was [forked](Birth::Forked), which keeps it; or that of
    /// this process.
    pub(crate) fn inherit<'a>(&'a self, alone: &'a mut Alone) -> &'a mut T {
        // SAFETY: as in `get`.
        if let Some(kept) = unsafe { &mut *self.0.get() } {
            kept.generation = LAST.load(Ordering::Relaxed);
        }
        self.get(alone)
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if let Some(kept) = self.0.get_mut()
            && kept.generation == LAST.load(Ordering::Relaxed)
        {
            // SAFETY: it is whole, of this process, and not used again.
            unsafe { ManuallyDrop::drop(&mut kept.value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_stays_and_is_never_zero() {
        assert_ne!(generation(), 0);
        assert_eq!(generation(), generation());
    }

    #[test]
    fn values_of_another_generation_are_not_used() {
        let value = PerProcess::<Vec<u32>>::new();
        let mut alone = alone();
        value.get(&mut alone).push(1);
        assert_eq!(*value.get(&mut alone), [1]);
        // SAFETY: this thread is alone.
        let kept = unsafe { &mut *value.0.get() }.as_mut().unwrap();
        kept.generation -= 1;
        assert!(value.get(&mut alone).is_empty());
    }
}
