//! Arguments that several commands take: an object's name and a number of seconds.

use std::time::Duration;

use clap::Args;
use pagemate::Name;

use crate::failure::{Failure, Outcome};
use crate::text::escape_line;

/// The object that a command uses.
#[derive(Args, Debug)]
pub(crate) struct ObjectName {
    /// Name of the object: `x` or `Local\x` for this user, `Global\x` for the machine.
    name: String,
    /// Use the machine-wide object `Global\NAME`.
    #[arg(long)]
    global: bool,
}

impl ObjectName {
    /// Parses the name.
    pub(crate) fn parse(&self) -> Outcome<Name> {
        if !self.global {
            return Ok(Name::new(&self.name)?);
        }
        if self.name.starts_with(r"Local\") {
            let why = "its prefix Local\\ contradicts --global; remove one of them";
            return Err(Failure::new(format!("use name \"{}\": {why}", escape_line(&self.name))));
        }
        Ok(Name::new(&format!(r"Global\{}", self.name))?)
    }
}

/// Parses a number of seconds, with or without a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 =
        text.parse().map_err(|_| "expected a number of seconds, such as 2 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| "the number of seconds is negative or too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_decimal_and_not_negative() {
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["x", "", "1s"] {
            assert!(seconds(text).unwrap_err().contains("expected a number"), "{text}");
        }
        for text in ["-1", "inf", "NaN", "1e300"] {
            assert!(seconds(text).unwrap_err().contains("negative or too large"), "{text}");
        }
    }
}
