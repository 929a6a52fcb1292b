//! Times on the command line and in messages.

use std::time::Duration;

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
