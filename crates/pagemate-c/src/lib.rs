//! pagemate for C and C++: `include/pagemate.h`, and `include/pagemate.hpp` on top of it.
//!
//! Every exported symbol begins with `pagemate_`. Windows' own calls are in a library of their own, the crate
//! `pagemate-win32`.

pub mod native;
