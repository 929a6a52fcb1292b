//! pagemate for C and C++: `include/pagemate.h`, and on Linux `include/pagemate.hpp` over it.
//!
//! Everything that the library exports begins with `pagemate_`. Windows' own calls are a library of
//! their own, the crate `pagemate-win32`.

pub mod native;
