//! Splits command lines into arguments by the rules of Microsoft's C library.
//!
//! On Windows a program receives its command line as one string and splits it into arguments. On
//! Linux a program receives the separate arguments. So this library splits the string before it
//! starts the program, by the same rules.

/// The program's name at the beginning of a command line, and the rest of the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProgramName<'a> {
    pub(super) name: &'a [u8],
    /// Whether the name is quoted. An unquoted name may contain blanks.
    pub(super) quoted: bool,
    rest: &'a [u8],
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Splits a command line after the name of the program. A name that begins with a quote ends at the
/// next quote, and any other name at the first blank. A backslash has no special meaning in a name.
pub(super) fn program_name(line: &[u8]) -> ProgramName<'_> {
    if let Some(inside) = line.strip_prefix(b"\"") {
        let end = inside.iter().position(|byte| *byte == b'"').unwrap_or(inside.len());
        let rest = inside.get(end + 1..).unwrap_or_default();
        return ProgramName { name: &inside[..end], quoted: true, rest };
    }
    let end = line.iter().position(|byte| is_blank(*byte)).unwrap_or(line.len());
    ProgramName { name: &line[..end], quoted: false, rest: &line[end..] }
}

/// Splits a command line into arguments. The first one is the program's name.
///
/// An argument ends at a blank that is not quoted. Two quotes inside a quoted part stand for one
/// quote. A backslash is an ordinary character unless a quote follows the run of backslashes. In
/// that case each pair of backslashes stands for one backslash, and a backslash that remains makes
/// the quote an ordinary character.
pub(super) fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let ProgramName { name, rest, .. } = program_name(line);
    let mut arguments = vec![name.to_vec()];
    let mut rest = rest;
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return arguments;
        }
        let (argument, after) = argument(rest);
        arguments.push(argument);
        rest = after;
    }
}

/// Returns the argument at the beginning of a text, and the text after it.
fn argument(mut text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut argument = Vec::new();
    let mut quoted = false;
    loop {
        let backslashes = text.iter().take_while(|byte| **byte == b'\\').count();
        let after = &text[backslashes..];
        let before_quote = after.first() == Some(&b'"');
        argument.resize(
            argument.len() + if before_quote { backslashes / 2 } else { backslashes },
            b'\\',
        );
        text = match after {
            [b'"', rest @ ..] if backslashes % 2 == 1 => {
                argument.push(b'"');
                rest
            }
            [b'"', b'"', rest @ ..] if quoted => {
                argument.push(b'"');
                rest
            }
            [b'"', rest @ ..] => {
                quoted = !quoted;
                rest
            }
            [] => return (argument, after),
            [blank, ..] if is_blank(*blank) && !quoted => return (argument, after),
            [byte, rest @ ..] => {
                argument.push(*byte);
                rest
            }
        };
    }
}

/// Returns the prefixes of a command line that may be the name of a program, the shortest first. A
/// name without quotes may contain blanks, so that each blank may be its end.
pub(super) fn candidate_names(line: &[u8]) -> Vec<&[u8]> {
    let ProgramName { name, quoted, .. } = program_name(line);
    if quoted {
        return vec![name];
    }
    let ends = (1..line.len()).filter(|at| is_blank(line[*at]) && !is_blank(line[at - 1]));
    let mut names: Vec<_> = ends.map(|end| &line[..end]).collect();
    if !line.last().is_some_and(|last| is_blank(*last)) {
        names.push(line);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splits(line: &str, into: &[&str]) {
        let split = split(line.as_bytes());
        let split: Vec<_> =
            split.iter().map(|argument| str::from_utf8(argument).unwrap()).collect();
        assert_eq!(split, into, "{line}");
    }

    #[test]
    fn a_command_line_is_split_as_microsofts_library_does() {
        splits("p", &["p"]);
        splits("p a b", &["p", "a", "b"]);
        splits("p  \t a  ", &["p", "a"]);
        splits(r#"p "a b" c"d e"f"#, &["p", "a b", "cd ef"]);
        splits(r#"p "" x"#, &["p", "", "x"]);
        // The examples in Microsoft's documentation.
        splits(r#"p "a b c" d e"#, &["p", "a b c", "d", "e"]);
        splits(r#"p "ab\"c" "\\" d"#, &["p", "ab\"c", r"\", "d"]);
        splits(r#"p a\\\b d"e f"g h"#, &["p", r"a\\\b", "de fg", "h"]);
        splits(r#"p a\\\"b c d"#, &["p", r#"a\"b"#, "c", "d"]);
        splits(r#"p a\\\\"b c" d e"#, &["p", r"a\\b c", "d", "e"]);
        splits(r#"p a"b"" c d"#, &["p", "ab\" c d"]);
    }

    #[test]
    fn backslashes_in_the_name_of_the_program_are_separators() {
        splits(r#""C:\some dir\" a"#, &[r"C:\some dir\", "a"]);
        splits(r"..\bin\p a", &[r"..\bin\p", "a"]);
        splits(r#""unended"#, &["unended"]);
        splits(r#""p"a"#, &["p", "a"]);
        splits("", &[""]);
    }

    #[test]
    fn an_unquoted_name_may_have_blanks_in_it() {
        let names = |line: &'static str| candidate_names(line.as_bytes()).join(&b'|');
        assert_eq!(names("a b c"), b"a|a b|a b c");
        assert_eq!(names("a  b "), b"a|a  b");
        assert_eq!(names("\"a b\" c"), b"a b");
        assert_eq!(names("a"), b"a");
        assert_eq!(names(""), b"");
    }
}
