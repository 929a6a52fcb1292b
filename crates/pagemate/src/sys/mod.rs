//! The platform layer: the contract between pagemate and an operating system.
//!
//! Only `sys` and `os` contain platform `cfg`s. Each module below re-exports the same items from one
//! implementation for each platform:
//!
//! | Module | Contract | Linux | macOS | Windows |
//! |---|---|---|---|---|
//! | [`object`] | named memory that lives as long as a holder | locked files in `/dev/shm` | locked files | kernel sections |
//! | `object::Mapping` | memory in the address space | `mmap(2)` | `mmap(2)` | `MapViewOfFile` |
//! | `liveness` | whether the owner of a lock is alive | open file description locks | the same | does not exist: the kernel reports dead owners |
//! | `wait` | block until a word changes | `futex(2)` | `os_sync_wait_on_address(3)`, or polling | does not exist: threads wait for kernel objects |
//! | [`sync`] | mutexes, events, semaphores | words in an object | the same | kernel objects |
//! | [`peers`] | seats and sleeping for channels | `liveness` and `wait` | the same | kernel mutexes and semaphores |
//!
//! The compiler checks the signatures. It does not check the guarantees that follow, so each port has
//! to keep them.
//!
//! # `object`: shared memory whose name lives as long as a holder
//!
//! - `Object` is a handle. A live `Object` makes its process a holder: the name exists, and processes can
//!   open it, until the last handle is dropped or its process dies, however it dies. `Drop` closes the
//!   handle, and removes the name if no holder is left.
//! - `Object::create` publishes an object that is complete (length, content, and the creator's seat if
//!   it is created locked) or none.
//!   Two concurrent creations of one name create one object. It returns whether it created the
//!   object.
//! - `Object::open` opens live objects only. A dead object gives `NotFound`.
//! - `NameWatch::wait` blocks until a name may have been created, or until its time has passed. It
//!   may return early. `open_before` tries to open the name after each wait.
//! - `Object::unnamed` creates memory without a name, and `from_raw` takes a descriptor or handle
//!   of another origin.
//! - `Object::len`, `protection` and `access` do not change during the life of a handle. The length
//!   is a whole number of pages, or the length of the user's file.
//! - `Object::check_name` fails if the name no longer leads to the object.
//! - `list`, `find` and `prune` inspect live objects and remove dead ones. `unreachable` returns
//!   the reasons why objects of a namespace cannot be reached, and `damaged` those why `list` leaves
//!   single objects out.
//! - No call blocks on another process for longer than `RETRY_TIMEOUT`.
//!
//! # `object::Mapping`: mapped memory
//!
//! - `Object::map` maps a range that the caller has checked to lie inside the object. `base` and
//!   `len` stay valid until the `Mapping` is dropped, also after the `Object` is dropped. `Drop`
//!   unmaps.
//! - An access inside the range does not fault, unless another program shortens the user's file or
//!   a sparse section runs out of memory.
//! - `flush` returns after the bytes have reached the user's file.
//! - `allocation_granularity` is the unit of offsets.
//!
//! # `liveness`: is the owner of a lock alive?
//!
//! On Unix:
//!
//! A seat proves that a process is alive. It is a number and a kernel lock that ends with the
//! process. The number is not reused while a lock word may contain it. `Seats` takes and tests
//! seats.
//! - A forked child does not hold its parent's seats. `fork` gives each process a generation of its
//!   own and runs the hooks of other modules in the child.
//!
//! Windows has no such module. A kernel mutex is owned by a thread. When the thread ends, however it
//! ends, the kernel releases the mutex and reports `WAIT_ABANDONED` to the next owner. `sync` uses
//! that report directly. Handles and names end with their process, so no object is ever dead, and
//! there is no `fork` and no generation.
//!
//! # `wait`: block on a word in shared memory (Unix)
//!
//! - `wait` blocks while the word has the expected value, until a wake-up or the end of its slice.
//!   Spurious wakeups are allowed, so the caller always tests the word again.
//! - `wake` wakes one or all threads of all processes that wait on the word. Only a thread that
//!   began to wait before the call is sure to be woken.
//!
//! # `memory_wait`: block on a word of a user's memory
//!
//! - `sleep` blocks while the word has the expected value, and may return at any time. `wake` wakes the
//!   sleepers of all processes, where the system can do that.
//!
//! # `sync`: mutexes, events and semaphores
//!
//! - `Mutex`, `Event` and `Semaphore` each provide `create`, `open`, `unnamed` and `wait`.
//!   `wait_any` and `wait_all` wait for several objects.
//! - Acquire and release order memory between processes: writes before a release happen before
//!   reads after the acquire that it permits.
//! - The death of an owner releases its mutex. The next owner is told that the mutex was abandoned.
//! - The death of a waiter loses no wake-up for good: another waiter tests the word again within a
//!   bounded time.
//!
//! # `peers`: the other processes of a channel or of a lock beside its value
//!
//! - A seat is a number that is never reused in its object. `is_alive` returns whether the process that
//!   took it is alive.
//! - `wait` and `wake` block on a word and wake its sleepers, on every system. On Windows a sleeper
//!   creates a kernel semaphore, whose name the other side derives from the object's random number.
//!
//! # `spin`: attempts before a sleep
//!
//! - `Spin` decides whether a waiter repeats its attempt for a short time before it sleeps. Each sync object,
//!   each endpoint of a channel, and each thread that waits for a user's word has one.
//!
//! # The rest
//!
//! `region` is mapped memory with a header and slots, checked once. `barrier` orders a store before a
//! load at the cost of the side that is about to sleep. `object_state` has the types that `object` and
//! `sync` both use. `copy` copies bytes that another process may write at the same time. `fault` names
//! the points at which a test kills or stops a process.

pub(crate) mod barrier;
pub(crate) mod copy;
pub(crate) mod fault;
#[cfg(unix)]
pub(crate) mod liveness;
pub(crate) mod memory_wait;
pub(crate) mod object;
pub(crate) mod object_state;
pub(crate) mod peers;
pub(crate) mod region;
pub(crate) mod spin;
pub(crate) mod sync;
#[cfg(unix)]
pub(crate) mod wait;
