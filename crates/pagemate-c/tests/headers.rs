//! `include/pagemate.h` is what the library exports: `cargo xtask headers` writes it anew.

use std::path::Path;
use std::{env, fs};

/// What the header is made from, in the order in which it tells.
const SOURCES: [&str; 12] = [
    "status",
    "options",
    "section",
    "view",
    "mutex",
    "event",
    "semaphore",
    "wait",
    "shared",
    "os",
    "handed",
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
        "\n/** The release that this header belongs to; pagemate_version() is the library's. */\n\
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
fn the_header_is_what_the_library_exports() {
    let path = root().join("include/pagemate.h");
    let fresh = generate();
    if env::var_os("PAGEMATE_HEADERS").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == fresh, "include/pagemate.h is not up to date: cargo xtask headers");
}
