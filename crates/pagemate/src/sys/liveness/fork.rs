//! The generation of this process, which distinguishes it from its parent and its forked children.
//!
//! A child of any call that copies memory (`fork`, `_Fork`, a bare `clone`) begins a new generation
//! at its first call here. On Linux a process detects that it is a new child because the kernel has
//! zeroed a certain page. On other systems the handlers of `fork(3)` zero the page, and they do not
//! run for a bare `_Fork`. Children that share their parent's memory until they call `exec`
//! (`vfork`, `posix_spawn`) are not detected. They do not have to be, because they do not call
//! pagemate.
//!
//! The *parent* counts only forks for which the handlers of `fork(3)` run. [`Moment`] therefore
//! does not detect children of `_Fork` and `clone`.
#![allow(unsafe_code, reason = "pthread_atfork(3), and values that one thread at a time uses")]

use std::cell::{Cell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::wiped_page::{self, page, wipe};

/// The last generation that this process or one of its ancestors began; 0 if none has begun one.
static LAST: AtomicU32 = AtomicU32::new(0);

/// Whether the handlers of `fork(3)` are registered. A child inherits them.
static HANDLERS_REGISTERED: AtomicBool = AtomicBool::new(false);

/// The number of forks that this process and its ancestors have begun; 0 until the handlers are
/// registered.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// Returns the generation: a number that differs from those of the parent and of the children, and is
/// never 0.
#[inline]
pub(crate) fn generation() -> u32 {
    match wiped_page::generation() {
        0 => begin(ForkKind::Unnoticed),
        generation => generation,
    }
}

/// Returns the generation, or 0 if this process has not begun it yet.
#[inline]
pub(crate) fn generation_if_begun() -> u32 {
    wiped_page::generation()
}

/// Returns the pid of this process without a system call, for lists. A child that is not detected as one
/// has that of its parent.
pub(crate) fn pid() -> u32 {
    _ = generation();
    wiped_page::pid()
}

/// How the process of a new generation was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForkKind {
    /// By `fork(3)`. Its handlers held the process lock, so the data under that lock is consistent.
    Forked,
    /// By a call that runs no handlers (`_Fork`, `clone`). Data that threads of the parent protect
    /// by locks may be inconsistent in this process.
    Unnoticed,
}

/// A function that runs at the beginning of each generation of a child.
#[derive(Debug)]
pub(crate) struct Hook {
    run: fn(ForkKind, &mut ProcessGuard),
    next: AtomicPtr<Hook>,
}

static HOOKS: AtomicPtr<Hook> = AtomicPtr::new(std::ptr::null_mut());

fn hooks() -> impl Iterator<Item = &'static Hook> {
    let follow = |from: &AtomicPtr<Hook>| {
        // Acquire: makes the hook's `next` visible, published by the Release in `register`.
        // SAFETY: `register` alone stores the pointer, from a reference to a static.
        unsafe { from.load(Ordering::Acquire).as_ref() }
    };
    std::iter::successors(follow(&HOOKS), move |hook| follow(&hook.next))
}

impl Hook {
    /// Returns a hook. `run` must not wait for a lock that another thread of the parent may have held,
    /// because no thread of the child releases it. `run` is called with the process lock held.
    pub(crate) const fn new(run: fn(ForkKind, &mut ProcessGuard)) -> Hook {
        Hook { run, next: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Makes the hook run in every child from now on. Registering it again has no effect.
    pub(crate) fn register(&'static self, _: &mut ProcessGuard) {
        if hooks().any(|hook| std::ptr::eq(hook, self)) {
            return;
        }
        self.next.store(HOOKS.load(Ordering::Relaxed), Ordering::Relaxed);
        // Release: publishes `next` to the Acquire in `hooks`.
        HOOKS.store(std::ptr::from_ref(self).cast_mut(), Ordering::Release);
    }
}

#[cold]
fn begin(kind: ForkKind) -> u32 {
    let mut guard = ProcessGuard::lock();
    let own = &page().generation;
    // Another thread may have begun the generation since the caller tested it. Acquire: the work of
    // that thread's hooks, published by the Release below.
    match own.load(Ordering::Acquire) {
        0 => {}
        generation => return generation,
    }
    register_handlers();
    let parent = LAST.load(Ordering::Relaxed);
    let new = parent.wrapping_add(1).max(1);
    LAST.store(new, Ordering::Relaxed);
    if parent != 0 {
        hooks().for_each(|hook| (hook.run)(kind, &mut guard));
    }
    page().pid.store(std::process::id(), Ordering::Relaxed);
    // Release: publishes the pid and the work of the hooks to the Acquire in `wiped_page::generation`.
    own.store(new, Ordering::Release);
    new
}

/// Registers the handlers of `fork(3)`, unless an ancestor did. A child that was forked while this
/// function ran may register them a second time, so the handlers count their calls in [`DEPTH`].
fn register_handlers() {
    if HANDLERS_REGISTERED.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: the handlers have the type that `pthread_atfork` takes and are never unloaded. They only
    // use atomics, thread-locals without destructors, and system calls, which a child may use.
    if unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } == 0 {
        FORKS.fetch_max(1, Ordering::SeqCst);
        HANDLERS_REGISTERED.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// The number of calls of the handler `before` that this thread has made for the current fork.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counts the fork before the child exists, so that both processes know that their descriptions may
/// be shared. Locks the process, so that the child finds the [`PerProcess`] values consistent.
extern "C" fn before() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    if DEPTH.replace(DEPTH.get() + 1) == 0 {
        std::mem::forget(ProcessGuard::lock());
    }
}

extern "C" fn in_parent() {
    let depth = DEPTH.get();
    DEPTH.set(depth.saturating_sub(1));
    if depth == 1 {
        ProcessGuard::unlock();
    }
}

extern "C" fn in_child() {
    if DEPTH.replace(0) > 0 {
        wipe();
        _ = begin(ForkKind::Forked);
    }
}

/// A point in the life of this process: the number of forks that it had begun by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(u64);

/// Returns the present moment. A file that is opened after it is shared with no child for as long
/// as this process [has not forked](Moment::has_not_forked_since).
pub(crate) fn now() -> Moment {
    _ = generation();
    Moment(FORKS.load(Ordering::SeqCst))
}

impl Moment {
    /// Returns whether the process has not called `fork(3)` since this moment. If it has not, no
    /// child of `fork(3)` shares a description that was opened since.
    pub(crate) fn has_not_forked_since(self) -> bool {
        self.0 != 0 && self.0 == FORKS.load(Ordering::SeqCst)
    }
}

/// The guard of the process lock, which protects the [`PerProcess`] values. A fork waits for the lock.
///
/// | Lock word | Meaning | Ended by |
/// |---|---|---|
/// | 0 | free | `lock` |
/// | the pid of this process | held by a thread of this process | `unlock` |
/// | another pid | held by a thread of the parent when it forked | `lock`: no thread of this process will unlock it |
///
/// The word is in the page that is zero in children, so that no child waits for a thread of its parent.
#[derive(Debug)]
pub(crate) struct ProcessGuard(());

impl ProcessGuard {
    fn lock() -> ProcessGuard {
        let lock = &page().lock;
        let mut tries = 0_u32;
        // Where the kernel cannot zero the page, a child that was forked before the handlers were
        // registered finds the lock of its parent, which no thread of the child will release.
        // Acquire: makes the last holder's writes visible, published by the Release in `unlock`.
        let (own, mut seen) = (std::process::id(), 0);
        while let Err(holder) =
            lock.compare_exchange(seen, own, Ordering::Acquire, Ordering::Relaxed)
        {
            seen = if holder == own { 0 } else { holder };
            if holder != own {
                continue;
            }
            // The lock is held for a few system calls, or for a fork.
            if tries < 50 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
            tries = tries.saturating_add(1);
        }
        ProcessGuard(())
    }

    fn unlock() {
        // Release: publishes the holder's writes to the Acquire in `lock`.
        page().lock.store(0, Ordering::Release);
    }
}

impl Drop for ProcessGuard {
    fn drop(&mut self) {
        ProcessGuard::unlock();
    }
}

/// Returns the generation of this process. Works also in a hook, before the generation has begun.
pub(super) fn current(_: &ProcessGuard) -> u32 {
    LAST.load(Ordering::Relaxed)
}

/// Locks the process, and waits for another thread that has it locked.
pub(crate) fn lock_process() -> ProcessGuard {
    _ = generation();
    ProcessGuard::lock()
}

/// A value of one process. A child begins with a new default value.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(UnsafeCell<Option<Stored<T>>>);

#[derive(Debug)]
struct Stored<T> {
    generation: u32,
    value: ManuallyDrop<T>,
}

// SAFETY: `get` and `inherit` borrow the process lock, which one thread at a time holds, and `drop` has
// the cell exclusively. The value may be used by any thread because it is `Send`.
unsafe impl<T: Send> Sync for PerProcess<T> {}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess(UnsafeCell::new(None))
    }

    /// Returns the value of this process.
    pub(crate) fn get<'a>(&'a self, _: &'a mut ProcessGuard) -> &'a mut T {
        let now = LAST.load(Ordering::Relaxed);
        // SAFETY: this thread holds the process lock, so no other thread has a reference. The result
        // borrows the guard mutably, so this thread has no other reference either.
        let stored = unsafe { &mut *self.0.get() };
        if stored.as_ref().is_none_or(|stored| stored.generation != now) {
            // The parent's value is not dropped, because it may be inconsistent.
            *stored = Some(Stored { generation: now, value: ManuallyDrop::new(T::default()) });
        }
        &mut stored.as_mut().expect("it was just stored").value
    }

    /// Returns the value of this process. In a child that was [forked](ForkKind::Forked) this is the value
    /// of the parent, which the child keeps.
    pub(crate) fn inherit<'a>(&'a self, guard: &'a mut ProcessGuard) -> &'a mut T {
        // SAFETY: `guard` proves that this thread holds the process lock, so no other thread has a
        // reference. This one ends before `get` creates another.
        if let Some(stored) = unsafe { &mut *self.0.get() } {
            stored.generation = LAST.load(Ordering::Relaxed);
        }
        self.get(guard)
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if let Some(stored) = self.0.get_mut()
            && stored.generation == LAST.load(Ordering::Relaxed)
        {
            // SAFETY: the value belongs to this generation, so it is consistent, and the cell is being
            // dropped, so the value is not used again.
            unsafe { ManuallyDrop::drop(&mut stored.value) };
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
    fn one_thread_at_a_time_has_the_process_lock() {
        static INSIDE: AtomicBool = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let guard = lock_process();
                        assert!(!INSIDE.swap(true, Ordering::Relaxed));
                        std::thread::yield_now();
                        INSIDE.store(false, Ordering::Relaxed);
                        drop(guard);
                    }
                });
            }
        });
    }

    #[test]
    fn fork_waits_for_the_process_lock_and_holds_it_until_the_child_exists() {
        static RELEASED: AtomicBool = AtomicBool::new(false);
        let guard = lock_process();
        std::thread::scope(|scope| {
            let forking = scope.spawn(|| {
                // These are the calls of one fork(3), without the fork. The second pair stands for
                // handlers that are registered twice.
                let moment = Moment(FORKS.load(Ordering::SeqCst));
                before();
                assert!(RELEASED.load(Ordering::Relaxed));
                assert!(!moment.has_not_forked_since());
                assert_eq!(page().lock.load(Ordering::Relaxed), std::process::id());
                before();
                in_parent();
                assert_eq!(page().lock.load(Ordering::Relaxed), std::process::id());
                in_parent();
                assert_eq!(DEPTH.get(), 0);
            });
            // Give a fork that does not wait for the lock the time to run. The pause cannot fail a
            // correct fork.
            std::thread::sleep(Duration::from_millis(20));
            RELEASED.store(true, Ordering::Relaxed);
            drop(guard);
            forking.join().unwrap();
        });
        // Without a preceding `before` the handler of the child changes nothing.
        let generation = generation();
        in_child();
        assert_eq!(super::generation(), generation);
    }

    #[test]
    fn values_of_another_generation_are_not_used() {
        let value = PerProcess::<Vec<u32>>::new();
        let mut guard = lock_process();
        value.get(&mut guard).push(1);
        assert_eq!(*value.get(&mut guard), [1]);
        // SAFETY: this thread holds the process lock, and has no other reference.
        let stored = unsafe { &mut *value.0.get() }.as_mut().unwrap();
        stored.generation -= 1;
        assert!(value.get(&mut guard).is_empty());
    }
}
