//! Parts of one platform.

cfg_select! {
    unix => {
        mod unix;
        pub(crate) use unix::*;
    }
    windows => {
        mod windows;
        pub(crate) use windows::*;
    }
}
