//! The one place that knows the platform.
//!
//! Every platform provides, in `object`: an `Object`, which is a handle to shared memory and takes
//! part in its lifetime (`create`, `open`, `unnamed`, `len`, `protection`, `map`; its `Drop` lets go), a `Mapping` (`base`, `len`, `flush`; its `Drop` unmaps), the granularity of
//! offsets, and the inventory of live objects (`list`, `find`,
//! `prune`).
//!
//! `copy` moves bytes that other processes may be changing at the same time.

pub(crate) mod copy;
pub(crate) mod fault;
#[cfg(unix)]
pub(crate) mod liveness;
pub(crate) mod object;
pub(crate) mod state;
pub(crate) mod sync;
#[cfg(unix)]
pub(crate) mod wait;
