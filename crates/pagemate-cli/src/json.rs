//! JSON output for scripts.

use std::io::Write;

use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Prints `value` as indented JSON.
pub(crate) fn print_json(value: &impl Serialize, mut out: impl Write) -> Outcome {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("encode JSON: {error}")))?;
    Ok(writeln!(out, "{json}")?)
}
