//! Generates a manual page from the help text of a command.

use clap::Command;
use clap_mangen::roff::{Inline, Roff, bold, roman};

/// The sections after OPTIONS, in the order in which they appear.
const SECTIONS: [&str; 5] = ["EXIT STATUS", "ENVIRONMENT", "NAMES", "NOTES", "EXAMPLES"];

/// Returns the name of the page for `command`, such as `pagemate-share`.
pub(super) fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

/// Returns the page for `command`. `pages` are the names of all pages. `common` is the text that
/// follows the options in the help of the whole program. Each page gets the ENVIRONMENT section
/// from it.
pub(super) fn render(command: &Command, pages: &[String], common: &str) -> Vec<u8> {
    let own = name(command);
    let usage = command.clone().render_usage().to_string();
    let mut help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let environment = common.split("\n\n").find(|text| text.starts_with("Environment:"));
    if let Some(environment) = environment
        && !help.contains(environment)
    {
        help.extend(["\n\n", environment]);
    }
    let has_commands = command.has_subcommands();
    let page = clap_mangen::Man::new(command.clone())
        .source(concat!("pagemate ", env!("CARGO_PKG_VERSION")))
        .manual("pagemate");
    let mut text = Vec::new();
    let rendered = page
        .render_title(&mut text)
        .and_then(|()| page.render_name_section(&mut text))
        .and_then(|()| synopsis(&usage).to_writer(&mut text))
        .and_then(|()| page.render_description_section(&mut text))
        .and_then(|()| page.render_options_section(&mut text))
        .and_then(
            |()| if has_commands { page.render_subcommands_section(&mut text) } else { Ok(()) },
        )
        .and_then(|()| sections(&help).to_writer(&mut text))
        .and_then(|()| see_also(&own, pages).to_writer(&mut text));
    rendered.expect("a vector takes all that is written to it");
    text
}

/// Returns the SYNOPSIS section, with the usage lines of the help text.
fn synopsis(usage: &str) -> Roff {
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]);
    for line in usage.trim_start_matches("Usage: ").lines() {
        page.text([bold(line.trim())]).control("br", []);
    }
    page
}

/// Returns the SEE ALSO section, with the pages of the other commands.
fn see_also(own: &str, pages: &[String]) -> Roff {
    let mut words: Vec<Inline> = Vec::new();
    for page in pages.iter().filter(|page| *page != own) {
        words.extend([bold(page), roman("(1), ")]);
    }
    words.extend([bold("shm_overview"), roman("(7)")]);
    let mut page = Roff::new();
    page.control("SH", ["SEE ALSO"]).text(words);
    page
}

/// A paragraph of the text that follows the options: a title, and the lines of a list.
struct Paragraph<'a> {
    title: &'a str,
    list: Option<&'a str>,
    /// The lines that follow the list.
    rest: &'a str,
}

impl Paragraph<'_> {
    fn new(text: &str) -> Paragraph<'_> {
        match text.split_once(":\n") {
            Some((title, lines)) if lines.starts_with("  ") => {
                let end =
                    lines.match_indices('\n').find(|(at, _)| !lines[at + 1..].starts_with("  "));
                let (list, rest) = lines.split_at(end.map_or(lines.len(), |(at, _)| at));
                Paragraph { title, list: Some(list), rest: rest.trim_start() }
            }
            _ => Paragraph { title: text, list: None, rest: "" },
        }
    }

    /// Returns the title of the section that the paragraph belongs to.
    fn section(&self) -> &'static str {
        match self.title {
            "Example" | "Examples" => "EXAMPLES",
            "Exit status" => "EXIT STATUS",
            "Environment" => "ENVIRONMENT",
            "Names" => "NAMES",
            _ => "NOTES",
        }
    }
}

/// Converts the text that follows the options of a help text. Lists keep their line breaks, and
/// other text is filled.
fn sections(help: &str) -> Roff {
    let paragraphs: Vec<Paragraph<'_>> =
        help.split("\n\n").filter(|text| !text.is_empty()).map(Paragraph::new).collect();
    let mut page = Roff::new();
    for section in SECTIONS {
        let members = paragraphs.iter().filter(|paragraph| paragraph.section() == section);
        for (i, Paragraph { title, list, rest }) in members.enumerate() {
            if i == 0 {
                page.control("SH", [section]);
            } else {
                page.control("PP", []);
            }
            if section == "NOTES" {
                let colon = if list.is_some() { ":" } else { "" };
                page.text([roman(format!("{title}{colon}"))]);
            }
            if let Some(list) = list {
                page.control("nf", []);
                for line in list.lines() {
                    // The page indents the lines itself.
                    page.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
                }
                page.control("fi", []);
            }
            if !rest.is_empty() {
                page.control("PP", []).text([roman(*rest)]);
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn lists_keep_their_lines_and_sections_have_an_order() {
        let help = "\
Examples:
  one    'a'
  .two

A note
of two lines.

Fields:
  three

Exit status:
  0    good
The rest.

Another.";
        let page = sections(help).render();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in {page}"));
        let order = [
            ".SH \"EXIT STATUS\"\n.nf\n0    good\n.fi\n.PP\nThe rest.",
            ".SH NOTES",
            "A note",
            ".PP\nFields:\n.nf\nthree\n.fi",
            ".PP\nAnother.",
            ".SH EXAMPLES\n.nf\none    ",
            "\n\\&.two\n.fi",
        ];
        assert!(order.map(at).is_sorted(), "{page}");
    }
}
