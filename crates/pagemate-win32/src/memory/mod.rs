//! Memory: file mappings, their views, private allocations and heaps.

mod address;
pub mod heap;
pub mod mapping;
pub(crate) mod page_protection;
mod page_state;
mod protection;
pub(crate) mod region;
pub mod view;
pub mod virtual_alloc;
