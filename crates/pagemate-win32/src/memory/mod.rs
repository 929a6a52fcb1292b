//! Memory: file mappings, their views, private allocations and heaps.

mod address;
pub mod heap;
pub mod mapping;
mod page_state;
mod protection;
pub(crate) mod region;
pub mod view;
pub mod virtual_alloc;
