//! Sizes in bytes: parses `64K` and prints `64 KiB`.

const UNITS: [(&str, u64); 5] =
    [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("", 1)];

/// Parses a size such as `4096`, `0x1000`, `64k`, `64KiB`, `64kb` or `1.5M`. The result must be a
/// whole number of bytes.
///
/// Units are powers of 1024 in every spelling, in upper and lower case.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    const FORMS: &str = "expected a number of bytes, such as 4096, 0x1000, 64K, 4kb, 1.5M or 2GiB";
    let too_many = || format!("larger than the maximum of {} bytes", u64::MAX);
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FORMS.to_owned());
        }
        return u64::from_str_radix(digits, 16).map_err(|_| too_many());
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, unit) =
        UNITS.iter().find(|(name, _)| is_unit(unit, name)).ok_or_else(|| FORMS.to_owned())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(FORMS.to_owned());
    }
    let whole: u64 = whole.parse().map_err(|_| too_many())?;
    let whole = whole.checked_mul(*unit).ok_or_else(too_many)?;
    let fraction = fraction.trim_end_matches('0');
    let (parts, scale) = (fraction.parse::<u128>().unwrap_or(0), fraction.len().try_into().ok());
    let scale = scale.and_then(|digits| 10_u128.checked_pow(digits));
    match scale {
        // A fraction has at most 20 digits, so that the product below cannot overflow.
        Some(scale)
            if fraction.len() <= 20 && (parts * u128::from(*unit)).is_multiple_of(scale) =>
        {
            let rest = u64::try_from(parts * u128::from(*unit) / scale).map_err(|_| too_many())?;
            whole.checked_add(rest).ok_or_else(too_many)
        }
        _ => Err("not a whole number of bytes".to_owned()),
    }
}

/// Returns whether `text` is a spelling of the unit `name`: for `K` it is `K`, `KB` or `KiB`, in
/// upper or lower case. For an empty name it is `B` or nothing.
fn is_unit(text: &str, name: &str) -> bool {
    let endings: &[&str] = if name.is_empty() { &["", "b"] } else { &["", "b", "ib"] };
    let text = text.to_ascii_lowercase();
    let ending = text.strip_prefix(&name.to_ascii_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending))
}

/// Formats a number of bytes without a unit: `1 byte`, `4096 bytes`.
pub(crate) fn bytes(count: u64) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

/// Formats a size in the largest unit in which it is at least 1, with one decimal unless that is 0.
pub(crate) fn human(bytes: u64) -> String {
    let (name, unit) = UNITS.into_iter().find(|(_, unit)| bytes >= *unit).unwrap_or(("", 1));
    if name.is_empty() {
        return format!("{bytes} B");
    }
    let (whole, tenths) = (bytes / unit, bytes % unit * 10 / unit);
    match tenths {
        0 => format!("{whole} {name}iB"),
        _ => format!("{whole}.{tenths} {name}iB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_form() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("0x1000", 4096),
            ("64K", 65536),
            ("64k", 65536),
            ("64KiB", 65536),
            ("64kib", 65536),
            ("4kb", 4096),
            ("4KB", 4096),
            ("4kB", 4096),
            ("0X1000", 4096),
            ("7B", 7),
            ("1.5mb", 1_572_864),
            ("1.5M", 1_572_864),
            ("1.50M", 1_572_864),
            ("0.5K", 512),
            ("1G", 1 << 30),
            ("2TiB", 2 << 40),
            ("18446744073709551615", u64::MAX),
            ("0xffffffffffffffff", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn syntax_errors_and_overflow_have_different_messages() {
        for text in
            ["", "K", "-1", "+1", "1 K", "1KBs", "1X", "iB", "1iB", "1bb", ".5K", "5.K", "1.2.3K"]
        {
            assert!(parse(text).unwrap_err().contains("expected a number"), "{text}");
        }
        for text in ["0x", "0x-1", "0xg", "ten", "１"] {
            assert!(parse(text).unwrap_err().contains("expected a number"), "{text}");
        }
        for text in ["18446744073709551616", "16777216T", "0x10000000000000000", "99999999999G"] {
            assert!(parse(text).unwrap_err().contains("larger than the maximum"), "{text}");
        }
        for text in ["0.1K", "1.5", "1.00000000000000000000000000000000000000001G"] {
            assert!(parse(text).unwrap_err().contains("whole number"), "{text}");
        }
    }

    #[test]
    fn sizes_are_printed_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (4096, "4 KiB"),
            (1_572_864, "1.5 MiB"),
            (1 << 30, "1 GiB"),
            ((1 << 30) - 1, "1023.9 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
