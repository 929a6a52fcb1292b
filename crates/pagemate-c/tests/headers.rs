//! Checks that `include/pagemate.h` matches the library. `cargo xtask headers` generates it.

use std::path::Path;
use std::{env, fs};

/// The modules that the header is generated from, in the order of the header.
const SOURCES: [&str; 31] = [
    "status",
    "access",
    "options",
    "section",
    "view",
    "mutex",
    "event",
    "semaphore",
    "timeout",
    "wait",
    "shared",
    "layout",
    "typed",
    "seqlock",
    "memory_wait",
    "channel_options",
    "sender",
    "sender_batch",
    "sender_loan",
    "sender_info",
    "receiver",
    "receiver_sample",
    "receiver_info",
    "watch_writer",
    "watch_loan",
    "watch_reader",
    "watch_info",
    "section_descriptor",
    "sync_descriptor",
    "entry",
    "inventory",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let [major, minor, patch] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    config.after_includes = Some(format!(
        "\n/** The version of this header; pagemate_version() returns that of the library. */\n\
         #define PAGEMATE_VERSION \"{version}\"\n\
         #define PAGEMATE_VERSION_MAJOR {major}\n\
         #define PAGEMATE_VERSION_MINOR {minor}\n\
         #define PAGEMATE_VERSION_PATCH {patch}"
    ));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in SOURCES {
        builder = builder.with_src(root().join(format!("src/native/{source}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    String::from_utf8(header).unwrap()
}

#[test]
fn the_header_matches_the_library() {
    let path = root().join("include/pagemate.h");
    let fresh = generate();
    if env::var_os("PAGEMATE_HEADERS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == fresh, "include/pagemate.h is not up to date: cargo xtask headers");
}
