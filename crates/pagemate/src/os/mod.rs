//! What is honestly different from system to system: descriptors and handles.

cfg_select! {
    unix => {
        pub mod unix;
    }
    windows => {
        pub mod windows;
    }
    _ => {}
}
