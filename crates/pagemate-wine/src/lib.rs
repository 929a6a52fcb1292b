//! Shares memory by name between Windows programs under Wine and Linux programs.
//!
//! A [`Bridge`] gives the named sections of a Wine prefix (`CreateFileMapping`) the same names natively, as
//! mirrors, so that every pagemate program can open them. Nothing is copied: both sides map the same memory.
//! The command `pagemate bridge` is a bridge; use this crate for a program that is its own bridge. The guide
//! `docs/wine.md` describes the use with simulators, Steam and Proton.
//!
//! # How it works
//!
//! Wine keeps the memory of a section as one file without a path, in the wineserver of the prefix. A helper,
//! the Windows program `pagemate-wine-helper.exe`, runs in the prefix. It lists the names, maps each section
//! for reading, and reports the address. The bridge finds the file at this address in `/proc/PID/maps` of the
//! helper, and opens the descriptor of the same file in `/proc/PID/fd` of the wineserver. The helper holds a
//! section only while it maps it, for a few microseconds, so it keeps no section alive. It is a system process
//! of Wine, so it keeps no prefix running.
//!
//! # A crash
//!
//! If the bridge is killed, its names end and the helper ends. If the helper, the wineserver or the prefix
//! ends, [`Bridge::next`] reports the end of all names.
//!
//! # Platforms
//!
//! Linux. On other systems the crate is empty.
//!
//! # Examples
//!
//! ```no_run
//! # #[cfg(target_os = "linux")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use pagemate_wine::{Bridge, Change, Options};
//!
//! let mut bridge = Bridge::new(Options::new("/home/u/.wine", "pagemate-wine-helper.exe"))?;
//! loop {
//!     match bridge.next(Duration::from_secs(1))? {
//!         Some(Change::Appeared { name, len }) => println!("{name}: {len} bytes"),
//!         Some(Change::PrefixEnded) => return Ok(()),
//!         _ => {}
//!     }
//! }
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```

#[doc(hidden)]
pub mod protocol;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;
