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

#[test]
fn a_header_is_the_same_by_every_spelling_of_its_name() {
    // Where file names do not tell large letters from small ones, they are one file.
    let mut spelt = std::collections::BTreeMap::new();
    for header in fs::read_dir(root().join("include/win32")).unwrap() {
        let header = header.unwrap();
        let name = header.file_name().into_string().unwrap();
        let text = fs::read_to_string(header.path()).unwrap();
        let first = spelt.entry(name.to_lowercase()).or_insert_with(|| text.clone());
        assert!(*first == text, "{name}");
    }
    assert!(spelt.contains_key("windows.h"));
}
