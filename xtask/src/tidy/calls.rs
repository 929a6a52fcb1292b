//! Tests that each exported function of the Win32 crate reports failures under its own name.

use std::path::Path;

use super::sources;

/// Returns the failures that a source file reports under the name of another function, as
/// `function: call`.
fn misnamed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut function = "";
    for line in text.lines() {
        if let Some((_, after)) = line.split_once("fn ").filter(|_| line.contains("extern \"C\"")) {
            function = after.split('(').next().unwrap_or(after);
        }
        for report in ["answer(", "done("] {
            let Some((before, argument)) = line.split_once(report) else { continue };
            let named = argument.split(['"', ')', ',']).nth(usize::from(argument.starts_with('"')));
            let named = named.unwrap_or_default().trim_start_matches("stringify!(");
            if !before.contains("fn ") && !matches!(named, "call" | "") && named != function {
                found.push(format!("{function}: {named}"));
            }
        }
    }
    found
}

#[test]
fn failures_are_reported_under_the_name_of_the_call() {
    let reports = |name: &str| {
        misnamed(&format!("pub extern \"C\" fn F(a: u32) -> i32 {{\n    done({name}, f(a))\n}}"))
    };
    assert_eq!(reports("\"F\""), [""; 0]);
    assert_eq!(reports("\"G\""), ["F: G"]);
    assert_eq!(reports("stringify!($g)"), ["F: $g"]);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pagemate-win32/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.iter().filter(|(_, text)| text.contains("answer(\"")).count() > 10);
    for (path, text) in files {
        assert_eq!(misnamed(&text), [""; 0], "{}", path.display());
    }
}
