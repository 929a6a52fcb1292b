//! The report of the demo: text as it runs, or JSON at its end.

use std::io::Write;

use serde::Serialize;

use crate::color::{self, BAD, GOOD, TITLE};
use crate::failure::{Failure, Outcome};
use crate::json::print_json;

/// A guarantee that the demo checked.
#[derive(Debug, Serialize)]
struct Guarantee {
    step: String,
    check: String,
    passed: bool,
}

/// The steps and checks so far.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    step: String,
    checks: Vec<Guarantee>,
}

impl Report {
    pub(super) fn new(json: bool) -> Report {
        Report { json, step: String::new(), checks: Vec::new() }
    }

    /// Begins a step.
    pub(super) fn step(&mut self, text: &str) -> Outcome {
        text.clone_into(&mut self.step);
        self.say(&format!("{TITLE}{text}{TITLE:#}"))
    }

    /// Prints a line in the report as text.
    pub(super) fn say(&self, line: &str) -> Outcome {
        if self.json { Ok(()) } else { Ok(writeln!(color::stdout(), "{line}")?) }
    }

    /// Reports whether a guarantee holds, and fails if it does not.
    pub(super) fn check(&mut self, text: &str, passed: bool) -> Outcome {
        self.checks.push(Guarantee { step: self.step.clone(), check: text.to_owned(), passed });
        if passed {
            return self.say(&format!("  {GOOD}ok{GOOD:#}  {text}"));
        }
        self.say(&format!("  {BAD}FAILED{BAD:#}  {text}"))?;
        Err(Failure::new(format!("the demo's check failed: {text}")))
    }

    /// Prints the report as JSON, if that is its form.
    pub(super) fn finish(&self) -> Outcome {
        if self.json { print_json(&self.checks, color::stdout()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_ends_the_demo_and_is_reported() {
        let mut report = Report::new(true);
        report.step("numbers").unwrap();
        assert!(report.check("one is one", true).is_ok());
        let Err(Failure::Failed(text)) = report.check("one is two", false) else {
            panic!("the check passed")
        };
        assert!(text.ends_with("check failed: one is two"), "{text}");
        let json = serde_json::to_value(&report.checks).unwrap();
        assert_eq!(json[1]["check"], "one is two");
        assert_eq!((&json[0]["passed"], &json[1]["passed"]), (&true.into(), &false.into()));
    }
}
