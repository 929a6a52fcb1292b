//! Memory: file mappings, their views, private allocations and heaps.

mod address;
pub mod create_mapping;
pub mod heap;
pub mod open_mapping;
pub(crate) mod page_protection;
mod page_run;
mod page_state;
mod process_maps;
mod protection;
pub(crate) mod region;
pub mod view;
pub mod virtual_alloc;
pub mod virtual_protect;
pub mod virtual_query;
