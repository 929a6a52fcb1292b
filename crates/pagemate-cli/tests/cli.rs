//! The command's behaviour, tested on the real executable.

mod harness;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use harness::{Place, Ran};

const TEXT: &str = "This is common data!";

#[test]
fn the_creator_writes_and_later_processes_read() {
    let place = Place::new();
    let name = &place.name("frames");
    let first = place.hold(&["share", name, "--text", TEXT]);
    assert_eq!(first.line, "Write shared memory data: This is common data!");
    let second = place.hold(&["share", name, "--text", "something else"]);
    assert_eq!(second.line, "read shared memory data: This is common data!");
    let warning = second.error_line();
    assert!(
        warning.contains("already holds this section, so the text was not written"),
        "{warning}"
    );
    first.kill();
    assert_eq!(place.run(&["read", name]).text(), "This is common data!\n");
    second.kill();
    assert!(place.run(&["read", name]).error_line(1).contains("no process holds it"));
}

#[test]
fn text_is_followed_by_a_nul() {
    let place = Place::new();
    let name = &place.name("text");
    let _held = place.hold(&["share", name, "--text", "one"]);
    place.run(&["write", name, "--text", "longer text"]).text();
    place.run(&["write", name, "--text", "two"]).text();
    assert_eq!(place.run(&["read", name, "--as", "raw", "--len", "6"]).bytes, b"two\0er");
    assert_eq!(place.run(&["read", name]).text(), "two\n");
    assert_eq!(place.run(&["read", name, "--offset", "4"]).text(), "er text\n");
}

#[test]
fn text_of_any_characters_is_preserved() {
    let place = Place::new();
    for (i, text) in ["", "日本 é", "-x", "two\nlines", "\u{1b}[31m"].into_iter().enumerate() {
        let name = &place.name(&format!("text{i}"));
        let _held = place.hold(&["share", name, "--text", text]);
        // The text is not escaped, because standard output is a pipe.
        assert_eq!(place.run(&["read", name]).text(), format!("{text}\n"));
    }
    let name = &place.name("broken");
    let file = place.file("broken", b"a\xffb\0c");
    let _held = place.hold(&["share", name, "--file", &file]);
    assert_eq!(place.run(&["read", name]).text(), "a\u{fffd}b\n");
}

#[test]
fn numbers_are_printed_in_every_format() {
    let place = Place::new();
    let name = &place.name("numbers");
    let mut bytes = (-2_i64).to_ne_bytes().to_vec();
    bytes.extend(1.5_f64.to_ne_bytes());
    bytes.extend(0.25_f32.to_ne_bytes());
    let file = place.file("numbers", &bytes);
    let _held = place.hold(&["share", name, "--file", &file]);
    for (form, offset, len, shown) in [
        ("i8", "0", "1", if cfg!(target_endian = "little") { "-2\n" } else { "-1\n" }),
        ("u8", "1", "2", "255\n255\n"),
        ("u16", "2", "2", "65535\n"),
        ("i16", "2", "4", "-1\n-1\n"),
        ("u32", "0", "0", ""),
        ("i64", "0", "8", "-2\n"),
        ("u64", "0", "8", "18446744073709551614\n"),
        ("f64", "8", "8", "1.5\n"),
        ("f32", "0x10", "4", "0.25\n"),
        ("i32", "1K", "8", "0\n0\n"),
        ("u32", "1K", "4", "0\n"),
    ] {
        let args = ["read", name, "--as", form, "--offset", offset, "--len", len];
        assert_eq!(place.run(&args).text(), shown, "{args:?}");
    }
    // Without a length, an incomplete number at the end is omitted.
    let all = place.run(&["read", name, "--as", "u64", "--offset", "4"]).text();
    assert_eq!(all.lines().count(), 4096 / 8 - 1);
    let odd = place.run(&["read", name, "--as", "u64", "--len", "9"]).error_line(2);
    assert!(odd.contains("9 bytes are not a whole number of 8-byte values"), "{odd}");
}

#[test]
fn dumps_have_the_format_of_hexdump() {
    let place = Place::new();
    let name = &place.name("dump");
    let _held = place.hold(&["share", name, "--text", TEXT]);
    let zero = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|";
    let whole = format!(
        "\
00000000  54 68 69 73 20 69 73 20  63 6f 6d 6d 6f 6e 20 64  |This is common d|
00000010  61 74 61 21 00 00 00 00  00 00 00 00 00 00 00 00  |ata!............|
00000020  {zero}
*
00001000
"
    );
    assert_eq!(place.run(&["read", name, "--as", "hex"]).text(), whole);
    let part = "\
00000008  63 6f 6d 6d 6f 6e                                 |common|
0000000e
";
    let args = ["read", name, "--as", "hex", "--offset", "8", "--len", "6"];
    assert_eq!(place.run(&args).text(), part);
}

#[test]
fn files_are_shared_and_read_back_whole() {
    let place = Place::new();
    let name = &place.name("file");
    // The data has more than one chunk, and its length is not a multiple of the page size.
    let bytes: Vec<u8> = (0..700_001_u32).map(|i| (i % 251).to_le_bytes()[0]).collect();
    let file = place.file("in", &bytes);
    let first = place.hold(&["share", name, "--file", &file]);
    assert_eq!(first.line, format!("Write shared memory data: 700001 bytes of file \"{file}\""));
    let len = bytes.len().to_string();
    assert!(place.run(&["read", name, "--as", "raw", "--len", &len]).bytes == bytes);
    let rest = place.run(&["read", name, "--as", "raw", "--offset", &len]).bytes;
    assert!(rest.len() < 1 << 16 && rest.iter().all(|byte| *byte == 0), "{} bytes", rest.len());

    let found = place.hold(&["share", name, "--file", &place.file("other", b"other")]);
    assert!(found.line.starts_with("Found shared memory: "), "{}", found.line);
    assert!(found.error_line().contains("other\" was not written"));
    assert!(place.run(&["read", name, "--as", "raw", "--len", &len]).bytes == bytes);
}

#[test]
fn a_size_creates_a_section_or_opens_one() {
    let place = Place::new();
    let name = &place.name("size");
    let first = place.hold(&["share", name, "--size", "64K"]);
    assert_eq!(first.line, "Created shared memory: 65536 bytes, all zero");
    let second = place.hold(&["share", name, "--size", "1"]);
    assert_eq!(second.line, "Found shared memory: 65536 bytes");
    let third = place.hold(&["share", name, "--size", "128kb"]);
    assert_eq!(third.line, "Found shared memory: 65536 bytes");
    assert!(third.error_line().contains("the section has 65536 bytes, fewer than 131072"));
}

#[test]
fn write_takes_a_text_a_file_or_standard_input() {
    let place = Place::new();
    let name = &place.name("write");
    let _held = place.hold(&["share", name, "--text", TEXT]);
    assert_eq!(place.run_with(&["write", name, "--offset", "8", "-"], b"COMMON").text(), "");
    assert_eq!(place.run(&["read", name]).text(), "This is COMMON data!\n");
    place.run(&["write", name, "--file", &place.file("in", b"THIS")]).text();
    assert_eq!(place.run(&["read", name]).text(), "THIS is COMMON data!\n");
    place.run_with(&["write", name, "-"], b"").text();
    assert_eq!(place.run(&["read", name]).text(), "THIS is COMMON data!\n");
    // The data fills the section up to its last byte.
    place.run_with(&["write", name, "-"], &[7; 4096]).text();
    assert_eq!(place.run(&["read", name, "--as", "raw"]).bytes, [7; 4096]);
}

#[test]
fn a_write_past_the_end_changes_nothing() {
    let place = Place::new();
    let name = &place.name("past");
    let _held = place.hold(&["share", name, "--text", TEXT]);
    let before = place.run(&["read", name, "--as", "raw"]).bytes;
    let file = place.file("in", &[1; 4097]);
    let error = place.run(&["write", name, "--file", &file]).error_line(2);
    assert!(error.contains("4097 bytes at offset 0 reach past its 4096 bytes"), "{error}");
    let error = place.run(&["write", name, "--text", "abc", "--offset", "4093"]).error_line(2);
    assert!(error.contains("4 bytes at offset 4093 reach past its 4096 bytes"), "{error}");
    let error = place.run_with(&["write", name, "--offset", "4000", "-"], &[1; 97]).error_line(2);
    assert!(
        error.contains("has more than the 96 bytes from offset 4000 to the section's end at 4096"),
        "{error}"
    );
    assert!(error.contains("nothing was written"), "{error}");
    let error = place.run(&["write", name, "--text", "x", "--offset", "4097"]).error_line(2);
    assert!(error.contains("offset 4097 lies past its 4096 bytes"), "{error}");
    assert_eq!(place.run(&["read", name, "--as", "raw"]).bytes, before);
}

#[test]
fn a_read_past_the_end_prints_nothing() {
    let place = Place::new();
    let name = &place.name("past");
    let _held = place.hold(&["share", name, "--text", TEXT]);
    let error = place.run(&["read", name, "--offset", "4097"]).error_line(2);
    assert!(error.contains("offset 4097 lies past its 4096 bytes"), "{error}");
    let error = place.run(&["read", name, "--offset", "4090", "--len", "7"]).error_line(2);
    assert!(error.contains("7 bytes at offset 4090 reach past its 4096 bytes"), "{error}");
    let most = u64::MAX.to_string();
    place.run(&["read", name, "--offset", "1", "--len", &most]).error_line(2);
    assert_eq!(place.run(&["read", name, "--offset", "4K", "--as", "raw"]).text(), "");
}

#[test]
fn a_long_text_is_not_printed_unasked() {
    let place = Place::new();
    let lines = &place.name("lines");
    let _held = place.hold(&["share", lines, "--text", &"line\n".repeat(1000)]);
    for args in [&["--text", "x"][..], &["--read-only"]] {
        let ran = place.run(&[&["share", lines, "--hold", "0"], args].concat());
        let text = String::from_utf8(ran.bytes).unwrap();
        assert_eq!(text, format!("read shared memory data: {}", "line\n".repeat(10)));
        let note = "the text is longer; 'pagemate read' prints all of it";
        assert!(ran.errors.starts_with(note), "{}", ran.errors);
    }
    let long = &place.name("long");
    let _held = place.hold(&["share", long, "--text", &"日".repeat(20_000)]);
    let ran = place.run(&["share", long, "--read-only", "--hold", "0"]);
    let text = String::from_utf8(ran.bytes).unwrap();
    // The limit of 1000 bytes is inside a character.
    assert_eq!(text, format!("read shared memory data: {}\n", "日".repeat(333)));
    assert_eq!(place.run(&["read", long]).text().chars().count(), 20_001);
}

#[test]
fn hold_ends_by_itself_after_its_time() {
    let place = Place::new();
    let name = &place.name("hold");
    let held = place.hold(&["share", name, "--text", TEXT, "--hold", "10ms"]);
    assert_eq!(held.wait().code(), Some(0));
    place.run(&["info", name]).error_line(1);
    assert!(place.objects().is_empty());
    let error = place.run(&["share", name, "--text", TEXT, "--hold", "-1"]);
    assert_eq!(error.code, Some(2));
}

#[test]
fn the_end_of_piped_input_does_not_end_a_share() {
    let place = Place::new();
    let name = &place.name("piped");
    let mut command = place.command(&["share", name, "--text", TEXT]);
    let mut held = harness::Held::start(command.stdin(Stdio::piped()));
    assert!(held.error_line().contains(&format!("process {} holds the object", held.id())));
    held.close_input();
    for _ in 0..10 {
        assert_eq!(place.run(&["read", name]).text(), "This is common data!\n");
    }
}

#[test]
fn a_read_only_holder_keeps_the_name_alive() {
    let place = Place::new();
    let name = &place.name("read-only");
    let error = place.run(&["share", name, "--read-only"]).error_line(1);
    assert!(error.contains("no process holds it"), "{error}");
    assert_eq!(place.run(&["share", name, "--read-only", "--text", "x"]).code, Some(2));
    let first = place.hold(&["share", name, "--text", TEXT]);
    let second = place.hold(&["share", name, "--read-only"]);
    assert_eq!(second.line, "read shared memory data: This is common data!");
    first.kill();
    assert_eq!(place.run(&["read", name]).text(), "This is common data!\n");
    second.kill();
    place.run(&["read", name]).error_line(1);
}

#[test]
fn a_global_name_differs_from_the_local_one() {
    let place = Place::new();
    let name = &place.name("global");
    let global = &format!(r"Global\{name}");
    let _held = place.hold(&["share", name, "--global", "--text", TEXT]);
    let error = place.run(&["read", name]).error_line(1);
    let hint = format!("(\"{global}\" exists: add --global)");
    assert!(error.contains(&hint), "{error}");
    assert_eq!(place.run(&["read", global]).text(), "This is common data!\n");
    assert_eq!(place.run(&["read", name, "--global"]).text(), "This is common data!\n");
    let info: Value = place.run(&["info", global, "--json"]).json();
    assert_eq!((&info["name"], &info["namespace"]), (&json!(global), &json!("global")));
    let local = place.name("local");
    let _held = place.hold(&["share", &local, "--text", TEXT]);
    let error = place.run(&["info", &local, "--global"]).error_line(1);
    assert!(
        error.contains(&format!("({local:?} exists: omit --global and the prefix)")),
        "{error}"
    );
    let error = place.run(&["read", r"Local\x", "--global"]).error_line(2);
    assert!(error.contains("contradicts --global"), "{error}");
}

#[test]
fn a_name_without_holders_has_exit_code_1() {
    let place = Place::new();
    let name = &place.name("nobody");
    for args in [
        &["read", name][..],
        &["info", name],
        &["info", name, "--json"],
        &["write", name, "--text", "x"],
        &["write", name, "-"],
        &["share", name, "--read-only"],
    ] {
        let error = place.run(args).error_line(1);
        let waits = if args[0] == "info" { "" } else { "; --wait waits until one does" };
        let hint = "('pagemate list' shows all live names)";
        let wanted = format!("{name:?}: no process holds it{waits} {hint}");
        assert!(error.contains(&wanted), "{error}");
    }
}

#[test]
fn names_that_begin_with_a_dash_follow_two_dashes() {
    let place = Place::new();
    let name = &place.name("-dash");
    let _held = place.hold(&["share", "--text", TEXT, "--", name]);
    assert_eq!(place.run(&["read", "--", name]).text(), "This is common data!\n");
    place.run_with(&["write", "--", name, "-"], b"THIS").text();
    assert_eq!(place.run(&["read", "--", name]).text(), "THIS is common data!\n");
}

#[test]
fn bad_arguments_are_refused_in_the_layout_of_the_parser() {
    let place = Place::new();
    let name = &place.name("bad");
    for args in [
        &["share", name, "--size", "1X"][..],
        &["share", name, "--size", "-1"],
        &["share", name, "--size", "99999999999999999999"],
        &["share", name, "--size", "16777216T"],
        &["share", name, "--size", "0.3K"],
        &["share", name, "--size", "0"],
        &["share", name, "--size", "-1"],
        &["share", name, "--text", "x", "--file", "y"],
        &["share", name, "--read-only", "--size", "1"],
        &["share", name],
        &["share", "--text", "x"],
        &["write", name, "more"],
        &["write", name],
        &["read", name, "--as", "u128"],
        &["read"],
        &["nothing"],
        &["read", name, "--a\u{1b}[31mb"],
        &["share", name, "--text", "x", "--hold", "1x"],
        &["read", name, "--timeout", "1s"],
        &["list", "a["],
    ] {
        let error = place.run(args).usage_error();
        assert!(error.contains("--help"), "{args:?}: {error}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
    }
    let nothing = place.run(&[]);
    assert_eq!((nothing.code, &*nothing.bytes), (Some(2), &b""[..]));
    assert!(nothing.errors.contains("Examples:"), "{}", nothing.errors);
    for (args, why) in [
        (&["share", name, "--size", "8000000T"][..], "bytes"),
        (&["share", r"a\b", "--text", "x"], "a backslash is legal only in the prefixes"),
        (&["share", "", "--text", "x"], "at least one character"),
        (&["share", "x", "--text", "x", "--wait"], "--wait is for --read-only"),
        (&["share", "Global", "--text", "x"], "reserved for namespaces"),
        (&["read", &"x".repeat(1025)], "at most 1024"),
    ] {
        let error = place.run(args).error_line(2);
        assert!(error.contains(why), "{error}");
    }
    assert!(place.objects().is_empty());
}

#[test]
fn unusable_files_are_refused() {
    let place = Place::new();
    let name = &place.name("files");
    let missing = place.path().join("missing").to_str().unwrap().to_owned();
    let dir = place.path().to_str().unwrap();
    let empty = &place.file("empty", b"");
    for file in [&missing, dir, empty] {
        let error = place.run(&["share", name, "--file", file]).error_line(2);
        assert!(error.contains(file), "{error}");
        place.run(&["info", name]).error_line(1);
    }
    let _held = place.hold(&["share", name, "--text", TEXT]);
    for file in [&missing, dir] {
        let error = place.run(&["write", name, "--file", file]).error_line(2);
        assert!(error.contains(file), "{error}");
    }
    assert_eq!(place.run(&["write", name, "--file", empty]).text(), "");
    assert_eq!(place.run(&["read", name]).text(), "This is common data!\n");
}

#[test]
fn json_has_every_property() {
    let place = Place::new();
    let name = &place.name("json");
    let first = place.hold(&["share", name, "--size", "64K"]);
    let second = place.hold(&["share", name, "--read-only"]);
    let info = place.run(&["info", name, "--json"]).json();
    for (key, value) in [
        ("name", json!(name)),
        ("kind", json!("section")),
        ("namespace", json!("local")),
        ("size", json!(65536)),
        ("protection", json!("read-write")),
        ("sharing", json!("owner")),
    ] {
        assert_eq!(info[key], value, "{key}");
    }
    if cfg!(target_os = "linux") {
        let created = info["created"].as_str().unwrap();
        assert!(humantime::parse_rfc3339(created).is_ok(), "{created}");
        assert_eq!(info["creator"], json!(first.id()));
        let mut pids = [first.id(), second.id()];
        pids.sort_unstable();
        let holders = pids.map(|pid| json!({"pid": pid, "command": "pagemate"}));
        assert_eq!(info["holders"], json!(holders));
    }
    let list = place.run(&["list", "--json"]).json();
    let listed: Vec<&Value> =
        list.as_array().unwrap().iter().filter(|object| object["name"] == **name).collect();
    assert_eq!(listed, [&info]);
}

#[test]
fn the_file_of_a_section_is_printed() {
    let place = Place::new();
    let name = &place.name("over-file");
    let path = place.file("in", b"five!");
    let file = std::fs::File::options().read(true).write(true).open(&path).unwrap();
    // This process does not set PAGEMATE_DIR, so it creates the section in the default directory.
    let _made = pagemate::SectionOptions::new().file(&file).create_new(name).unwrap();
    let run = |args: &[&str]| Ran::of(place.command(args).env_remove("PAGEMATE_DIR"), b"");
    let info = run(&["info", name, "--json"]).json();
    assert_eq!(info["size"], json!(5));
    assert_eq!(run(&["read", name]).text(), "five!\n");
    if cfg!(unix) {
        let path = std::fs::canonicalize(path).unwrap();
        assert_eq!(info["file"], json!(path));
        let text = run(&["info", name]).text();
        assert!(text.contains(&format!("file:       {}\n", path.display())), "{text}");
    }
}

#[test]
fn sharing_is_printed_in_the_words_of_the_option() {
    let place = Place::new();
    for who in ["owner", "group-read", "group-read-write", "everyone-read", "everyone-read-write"] {
        let name = &place.name(who);
        let args = ["share", name, "--global", "--size", "1", "--sharing", who];
        let _held = place.hold(&args);
        // Windows does not report which users may access an object.
        if cfg!(unix) {
            let info = place.run(&["info", name, "--global", "--json"]).json();
            assert_eq!(info["sharing"], json!(who));
            let short = who.replace("owner", "rw").replace("everyone", "rw, all");
            let short = short.replace("group", "rw, group").replace("read", "r");
            let short = short.replacen("-r", ":r", 1).replace("r-write", "rw");
            let list = place.run(&["list", name]).text();
            assert!(list.contains(&format!("  {short}  ")), "{list}");
        }
    }
    let ran = place.run(&["share", "x", "--size", "1", "--sharing", "world"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.errors.contains("everyone-read-write"), "{}", ran.errors);
}

#[test]
fn lists_are_aligned_and_escaped() {
    let place = Place::new();
    let (plain, hostile) = (place.name("plain"), place.name("a\nb\u{1b}[31m"));
    let _plain = place.hold(&["share", &plain, "--size", "1M"]);
    let _hostile = place.hold(&["share", &hostile, "--text", "x"]);
    let table = place.run(&["list"]).text();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME") && lines[0].ends_with("HELD BY"), "{table}");
    let at = lines[0].find("KIND").unwrap();
    let of = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    assert_eq!(of(&plain).find("section"), Some(at), "{table}");
    assert!(of(&plain).contains("  1 MiB  "), "{table}");
    assert_eq!(of(r"a\nb\u{1b}[31m").find("section"), Some(at), "{table}");
    let info = place.run(&["info", &hostile]).text();
    assert!(info.contains(r"a\nb\u{1b}[31m") && !info.contains('\u{1b}'), "{info}");
}

#[test]
fn an_empty_list_prints_nothing_into_a_pipe() {
    let place = Place::new();
    if cfg!(unix) {
        assert_eq!(place.run(&["list"]).text(), "");
        assert_eq!(place.run(&["list", "--json"]).text(), "[]\n");
    }
    assert!(place.run(&["prune"]).text().starts_with("removed 0 objects, 0 bytes"));
}

#[test]
fn names_of_killed_holders_are_free_and_their_files_can_be_pruned() {
    let place = Place::new();
    let (a, b) = (&place.name("a"), &place.name("b"));
    place.hold(&["share", a, "--text", TEXT]).kill();
    let list = place.run(&["list", "--json"]).json();
    assert!(list.as_array().unwrap().iter().all(|object| object["name"] != **a));
    place.run(&["info", a]).error_line(1);
    let (first, second) =
        (place.hold(&["share", a, "--text", TEXT]), place.hold(&["share", b, "--text", TEXT]));
    first.kill();
    second.kill();
    if cfg!(target_os = "linux") {
        assert_eq!(place.objects().len(), 2);
        assert_eq!(place.run(&["prune"]).text(), "removed 2 objects, 16384 bytes\n");
    }
    assert!(place.objects().is_empty());
    assert_eq!(place.run(&["prune"]).text(), "removed 0 objects, 0 bytes\n");
    let anew = place.hold(&["share", a, "--text", "anew"]);
    assert_eq!(anew.line, "Write shared memory data: anew");
}

#[test]
fn a_reader_that_closes_the_pipe_early_causes_no_failure() {
    let place = Place::new();
    let name = &place.name("enough");
    // In each format, the output is larger than the buffer of a pipe. It has no NUL, and no
    // repeated lines, which a dump would replace by `*`.
    let bytes: Vec<u8> = (0..4_u32 << 20).map(|i| 1 + (i % 251).to_le_bytes()[0]).collect();
    let file = place.file("in", &bytes);
    let _held = place.hold(&["share", name, "--file", &file]);
    for form in ["hex", "raw", "u64", "text"] {
        let mut command = place.command(&["read", name, "--as", form]);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        // Read some of the output and close the pipe, as `head` does.
        assert!(!out.fill_buf().unwrap().is_empty());
        drop(out);
        let ran = child.wait_with_output().unwrap();
        assert_eq!((ran.status.code(), &*ran.stderr), (Some(0), &b""[..]), "{form}");
    }
}

/// Requests completions of the last word of `words`, as the script for the shell does.
fn complete(place: &Place, shell: &str, words: &[&str]) -> Vec<String> {
    let mut command = place.command(&[&["--", "pagemate"], words].concat());
    command.env("PAGEMATE_COMPLETE", shell).env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    if shell == "bash" {
        command.env("_CLAP_COMPLETE_COMP_TYPE", "9");
    }
    let words = Ran::of(&mut command, b"").text();
    words.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn shells_complete_commands_options_and_names() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]).text();
        assert!(script.contains("PAGEMATE_COMPLETE"), "{shell}: {script}");
    }
    place.run(&["completions", "tcsh"]).usage_error();
    assert_eq!(complete(&place, "bash", &["pr"]), ["prune"]);
    assert_eq!(complete(&place, "bash", &["read", "--of"]), ["--offset"]);

    let (memory, global) = (place.name("a b"), place.name("machine"));
    let _memory = place.hold(&["share", &memory, "--size", "1"]);
    let _global = place.hold(&["share", &global, "--global", "--size", "1"]);
    assert_eq!(complete(&place, "fish", &["read", "a"]), [&*memory]);
    let quoted = memory.replace(' ', "\\ ");
    assert_eq!(complete(&place, "bash", &["read", "a\\ b"]), [&*quoted]);
    let full = format!(r"Global\\{global}");
    assert_eq!(complete(&place, "bash", &["info", "Gl"]), [full]);
    assert_eq!(complete(&place, "bash", &["info", "--global", "ma"]), [&*global]);
    // `lock` accepts only mutexes.
    assert!(complete(&place, "bash", &["lock", "a"]).is_empty());
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let place = Place::new();
    let directory = place.path().join("man");
    // The command makes the directory, and the pages are replaced.
    assert!(place.run(&["man", directory.to_str().unwrap()]).text().is_empty());
    assert!(place.run(&["man", directory.to_str().unwrap()]).text().is_empty());
    for page in ["pagemate", "pagemate-share", "pagemate-read", "pagemate-man"] {
        let text = std::fs::read_to_string(directory.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH EXAMPLES\n.nf\npagemate"), "{page}: {text}");
        assert!(text.contains(".SH \"EXIT STATUS\"\n.nf\n0    "), "{page}: {text}");
        assert!(text.contains(".SH \"SEE ALSO\"\n\\fB"), "{page}: {text}");
        assert!(text.contains(".SH ENVIRONMENT\n.nf\nPAGEMATE_DIR"), "{page}: {text}");
    }
    let page = directory.join("pagemate.1").join("below");
    let error = place.run(&["man", page.to_str().unwrap()]).error_line(2);
    assert!(error.contains("create directory") && error.contains("below"), "{error}");
}

#[test]
fn the_demo_passes_all_its_checks() {
    let place = Place::new();
    let shown = place.run(&["demo"]).text();
    assert!(shown.lines().filter(|line| line.starts_with("  ok  ")).count() >= 9, "{shown}");
    assert_eq!(shown.matches(" the section and mapped it at 0x").count(), 2, "{shown}");
    assert!(shown.contains("reported that the owner died"), "{shown}");
    assert!(shown.lines().last().unwrap().starts_with("Next: run 'pagemate share "), "{shown}");
    let colored = place.run(&["demo", "--color=always"]).text();
    assert!(colored.contains("\u{1b}[32mok\u{1b}[0m"), "{colored:?}");
    let checks = place.run(&["demo", "--json"]).json();
    let checks = checks.as_array().unwrap();
    assert_eq!(checks.len(), shown.lines().filter(|line| line.starts_with("  ok  ")).count());
    for check in checks {
        assert!(shown.contains(check["step"].as_str().unwrap()), "{check}");
        assert_eq!(check["passed"], true, "{check}");
    }
    assert!(place.objects().is_empty());
}

impl Ran {
    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }
}
