//! Keeps free relative clauses ("who waits is told") and indefinite pronouns ("somebody") out of comments
//! and documents.
//!
//! They hide the actor of a sentence. Name the actor instead: the owner, the next waiter, a process that
//! opens the object.

use std::fs;
use std::path::{Path, PathBuf};

/// The pronouns that begin a free relative in every context.
const ALWAYS_FREE: [&str; 5] = ["whoever", "whomever", "whosoever", "whatever", "whatsoever"];

/// The pronouns that stand for an actor without naming one.
const INDEFINITE: [&str; 6] = ["anybody", "anyone", "everybody", "nobody", "somebody", "someone"];

/// Pairs of words whose meaning a reader has to guess: state the result or the step instead.
const VAGUE: [[&str; 2]; 5] =
    [["tell", "which"], ["tells", "which"], ["let", "go"], ["lets", "go"], ["lets", "in"]];

/// The nouns after which `who` begins an ordinary relative clause, because they name people. After
/// a process, a thread or a handle, the pronoun is `that`.
const PEOPLE: [&str; 14] = [
    "administrator",
    "administrators",
    "author",
    "authors",
    "developer",
    "developers",
    "maintainer",
    "maintainers",
    "people",
    "person",
    "programmer",
    "programmers",
    "user",
    "users",
];

/// A run of lines that are prose, without their comment markers.
#[derive(Default)]
struct Block {
    /// The number of the first line, from 1.
    line: usize,
    text: String,
}

/// Returns the prose of a file: the whole text of a Markdown file, the comments of other files.
fn prose(path: &Path, text: &str) -> Vec<Block> {
    if path.extension().is_some_and(|ending| ending == "md") {
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.to_owned()));
        return blocks(lines.collect());
    }
    blocks(comments(text))
}

/// Returns the comment lines of Rust, C or C++ source, each with its number.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            found.push((line, rest[2..end].to_owned()));
            end
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
            let inside = rest[2..end].trim_end_matches("*/").lines().enumerate();
            found.extend(inside.map(|(i, text)| (line + i, text.to_owned())));
            end
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            character(rest)
        } else if first == 'r' && !after_word {
            raw_string(rest).unwrap_or(1)
        } else {
            first.len_utf8()
        };
        after_word = first.is_alphanumeric() || first == '_';
        line += rest[..len].matches('\n').count();
        rest = &rest[len..];
    }
    found
}

/// Returns the length of the literal that `text` begins with, up to the closing `mark`.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of the character literal that `text` begins with, or 1 for a lifetime.
fn character(text: &str) -> usize {
    let mut after = text.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) => quoted(text, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 1,
    }
}

/// Returns the length of the raw string that `text` begins with, if it is one.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(body.find(&close).map_or(text.len(), |end| 2 + hashes + end + close.len()))
}

/// Joins consecutive comment lines into blocks, without the comment markers. An empty line ends a
/// block.
fn blocks(lines: Vec<(usize, String)>) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut next = 0;
    for (line, text) in lines {
        let text = text.trim_start_matches(['/', '!', '*', '<']).trim();
        // Skip the line, because its backquotes would open a span of code that ends in another
        // block.
        if text.is_empty() || text.starts_with("```") {
            next = 0;
            continue;
        }
        if next != line {
            found.push(Block { line, text: String::new() });
        }
        let block = found.last_mut().expect("one was pushed");
        block.text.push_str(text);
        block.text.push('\n');
        next = line + 1;
    }
    found
}

/// Returns `text` with spaces in place of code spans and quotations, which may contain the
/// pronouns.
fn without_quotations(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['`', '"']) {
        let mark = &rest[start..=start];
        let Some(len) = rest[start + 1..].find(mark) else { break };
        out.push_str(&rest[..start]);
        let span = &rest[start..start + len + 2];
        out.extend(span.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[start + len + 2..];
    }
    out + rest
}

/// Returns the free relatives in a block: for each one the number of its line, and the pronoun.
fn free_relatives(block: &Block, is_comment: bool) -> Vec<(usize, String)> {
    let text = without_quotations(&block.text);
    let mut found = Vec::new();
    let mut before = String::new();
    let mut start = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        for word in line.split(|c: char| !c.is_alphanumeric() && c != '_') {
            let at = start + (word.as_ptr().addr() - line.as_ptr().addr());
            let after = &text[at + word.len()..];
            let word = word.to_lowercase();
            let free = match word.as_str() {
                "who" | "whom" => !PEOPLE.contains(&before.as_str()),
                // A question asks for a thing, and `what()` is a function of C++.
                "what" => is_comment && !is_question(after) && !after.starts_with('('),
                word => {
                    ALWAYS_FREE.contains(&word)
                        || INDEFINITE.contains(&word)
                        || VAGUE.contains(&[before.as_str(), word])
                }
            };
            if free {
                found.push((block.line + i, word.clone()));
            }
            if !word.is_empty() {
                before = word;
            }
        }
        start += line.len();
    }
    found
}

/// Returns whether the sentence that continues with `text` is a question.
fn is_question(text: &str) -> bool {
    text.find(['.', '?', '!', ':', ';']).is_some_and(|end| text[end..].starts_with('?'))
}

fn findings(path: &Path, text: &str) -> Vec<(usize, String)> {
    let is_comment = path.extension().is_none_or(|ending| ending != "md");
    let blocks = prose(path, text);
    blocks.iter().flat_map(|block| free_relatives(block, is_comment)).collect()
}

/// Finds the project's sources and documents below `dir`.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_symlink() || name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ["rs", "md", "h", "hpp", "c", "cpp"].contains(&ending))
        {
            found.push(path);
        }
    }
}

#[test]
fn free_relatives_are_found_and_ordinary_clauses_are_not() {
    let found = |path: &str, text: &str| findings(Path::new(path), text);
    let one = |line: usize, word: &str| vec![(line, word.to_owned())];
    assert_eq!(found("a.rs", "/// Who waits is told.\n"), one(1, "who"));
    assert_eq!(found("a.rs", "fn f() {} // whoever has it\n"), one(1, "whoever"));
    assert_eq!(found("a.rs", "\n/* a\n * process who */\n"), one(3, "who"));
    assert_eq!(found("a.rs", "/// What it may do.\n"), one(1, "what"));
    assert_eq!(found("a.rs", "/// Returns\n/// what it found.\n"), one(2, "what"));
    assert_eq!(
        found("a.md", "Nobody holds it. The result tells\nwhich.\n"),
        [(1, "nobody".to_owned()), (2, "which".to_owned())]
    );
    assert_eq!(found("a.md", "It runs, whatever\nhappens.\n"), one(1, "whatever"));
    for (path, text) in [
        ("a.rs", "let who = \"// who\"; // The owner.\n"),
        ("a.rs", "let a = r#\"\"// who\"#; let b: &'a str = '\"'; // \"Who holds it?\"\n"),
        ("a.rs", "/// The user who set it, an object whose owner died, and `who`.\n"),
        ("a.rs", "/// What if the process dies here? So what() throws, and `nobody` is a user.\n"),
        ("a.md", "## What each system does\n\nA span of `code\nwho` that wraps.\n"),
    ] {
        assert_eq!(found(path, text), [], "{text}");
    }
}

#[test]
fn prose_has_no_free_relatives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    assert!(paths.len() > 100, "{}", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().display();
        for (line, word) in findings(&path, &fs::read_to_string(&path).unwrap()) {
            wrong.push(format!("{name}:{line}: \"{word}\" hides the actor; name it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
