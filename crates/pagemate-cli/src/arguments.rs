//! Arguments that several commands take: an object's name, a time, whether to wait for the name.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use pagemate::{ErrorKind, Name};

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::opening;
use crate::text::escape_line;

/// The object that a command uses.
#[derive(Args, Clone, Debug)]
pub(crate) struct ObjectName {
    /// Name of the object: 'x' or 'Local\x' for this user, 'Global\x' for the machine.
    #[arg(add = ArgValueCompleter::new(complete::names))]
    name: String,
    /// Use the machine-wide object 'Global\NAME'.
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

/// Whether a command waits for a name that no process holds.
#[derive(Args, Debug)]
pub(crate) struct WaitForName {
    /// If no process holds the name, wait until one does.
    #[arg(long)]
    wait: bool,
    /// With --wait: wait for at most this time, such as 2s or 500ms, then exit with code 1.
    #[arg(long, value_name = "TIME", requires = "wait", allow_negative_numbers = true)]
    #[arg(value_parser = duration)]
    timeout: Option<Duration>,
}

impl WaitForName {
    /// Returns whether `--wait` is given.
    pub(crate) fn is_given(&self) -> bool {
        self.wait
    }

    /// Opens the object `name` by `open`, which gets the time that it may wait for the name.
    pub(crate) fn open<T>(
        &self,
        name: &Name,
        mut open: impl FnMut(Duration) -> pagemate::Result<T>,
    ) -> Outcome<T> {
        if !self.wait {
            return open(Duration::ZERO).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    Failure::Missing(format!("{error:#}; --wait waits until one does"))
                }
                _ => error.into(),
            });
        }
        let time = self.timeout.unwrap_or(Duration::MAX);
        opening::wait_for(name, time, open)?.ok_or_else(|| opening::timed_out(name, time))
    }
}

/// Parses a time: a number of seconds, or numbers with units such as `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const FORMS: &str = "expected a time, such as 2, 0.5, 500ms, 10s or 1h30m; a number alone is in \
                         seconds";
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_sign_negative() => Err("a time is not negative".to_owned()),
        Ok(seconds) if seconds.is_nan() => Err(FORMS.to_owned()),
        Ok(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| too_long()),
        Err(_) if text.starts_with('-') => Err("a time is not negative".to_owned()),
        Err(_) => humantime::parse_duration(text).map_err(|error| match error {
            humantime::DurationError::NumberOverflow => too_long(),
            _ => FORMS.to_owned(),
        }),
    }
}

fn too_long() -> String {
    "too long, or finer than a nanosecond".to_owned()
}

/// Returns a time in a few characters, such as `1m 30s`.
pub(crate) fn format_duration(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_units() {
        for (text, millis) in [
            ("2", 2000),
            ("0.25", 250),
            ("0", 0),
            ("1s", 1000),
            ("1.5s", 1500),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("2min 5s", 125_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["x", "", "s", "1x", "1s2", "NaN", "1 h x"] {
            assert!(duration(text).unwrap_err().contains("expected a time"), "{text}");
        }
        for text in ["-1", "-1s", "-0.5"] {
            assert!(duration(text).unwrap_err().contains("not negative"), "{text}");
        }
        for text in ["inf", "1e300", "99999999999999999999s"] {
            assert!(duration(text).unwrap_err().contains("too long"), "{text}");
        }
    }
}
