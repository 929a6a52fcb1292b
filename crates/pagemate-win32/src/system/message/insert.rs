//! An insert, `%1` or `%1!format!`: a value of the program, formatted as by `printf`.
#![allow(unsafe_code, reason = "pointers of the program")]

use super::arguments::Arguments;
use crate::error::{INVALID_PARAMETER, Result};
use crate::text::codepage::utf16;

/// The maximum width and precision, to bound the memory of a message.
const MAX_WIDTH: usize = 0x1_0000;

/// The width of a character.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Narrow,
    Wide,
}

impl Width {
    fn other(self) -> Width {
        if self == Width::Narrow { Width::Wide } else { Width::Narrow }
    }
}

/// A number in a format: none, a literal, or an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    None,
    Given(usize),
    Argument,
}

/// The width of an integer.
#[derive(Clone, Copy)]
enum Size {
    Short,
    Long,
    Whole,
}

/// An insert of a message.
pub(super) struct Insert {
    /// The number of its first argument.
    argument: usize,
    left: bool,
    zeros: bool,
    prefixed: bool,
    /// The prefix of a number that is not negative.
    sign: &'static str,
    width: Number,
    precision: Number,
    size: Size,
    /// The width of characters, if the format states it.
    characters: Option<Width>,
    conversion: u8,
}

/// The rest of a format, in ASCII.
struct Format<'a>(&'a [u8]);

impl Format<'_> {
    fn next_if(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| wanted(**first))?;
        self.0 = rest;
        Some(*first)
    }

    fn skip(&mut self, word: &str) -> bool {
        let rest = self.0.strip_prefix(word.as_bytes());
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn number(&mut self) -> Result<Number> {
        if self.skip("*") {
            return Ok(Number::Argument);
        }
        let mut number = None::<usize>;
        while let Some(digit) = self.next_if(|byte| byte.is_ascii_digit()) {
            let more = number.unwrap_or(0) * 10 + usize::from(digit - b'0');
            number = Some(Some(more).filter(|more| *more <= MAX_WIDTH).ok_or(INVALID_PARAMETER)?);
        }
        Ok(number.map_or(Number::None, Number::Given))
    }
}

impl Insert {
    /// Parses an insert that begins with its number. Returns the insert and the text after it.
    pub(super) fn parse(text: &[u16]) -> Result<(Insert, &[u16])> {
        let byte = |unit: &u16| u8::try_from(*unit).unwrap_or(0);
        let digits = text.iter().take(2).take_while(|unit| byte(unit).is_ascii_digit()).count();
        let (number, mut rest) = text.split_at(digits);
        let argument = number.iter().fold(0, |sum, unit| sum * 10 + usize::from(byte(unit) - b'0'));
        let mut format = vec![b's'];
        if let [mark, after @ ..] = rest
            && *mark == u16::from(b'!')
        {
            let end = after.iter().position(|unit| unit == mark).ok_or(INVALID_PARAMETER)?;
            format = after[..end].iter().map(byte).collect();
            rest = &after[end + 1..];
        }
        Ok((Insert::with_format(argument, &mut Format(&format))?, rest))
    }

    fn with_format(argument: usize, format: &mut Format<'_>) -> Result<Insert> {
        let mut insert = Insert {
            argument,
            left: false,
            zeros: false,
            prefixed: false,
            sign: "",
            width: Number::None,
            precision: Number::None,
            size: Size::Long,
            characters: None,
            conversion: 0,
        };
        while let Some(flag) = format.next_if(|byte| b"-0# +".contains(&byte)) {
            match flag {
                b'-' => insert.left = true,
                b'0' => insert.zeros = true,
                b'#' => insert.prefixed = true,
                b'+' => insert.sign = "+",
                _ if insert.sign.is_empty() => insert.sign = " ",
                _ => {}
            }
        }
        insert.width = format.number()?;
        if format.skip(".") {
            insert.precision = match format.number()? {
                Number::None => Number::Given(0),
                number => number,
            };
        }
        insert.modifier(format);
        insert.conversion = format.next_if(|_| true).ok_or(INVALID_PARAMETER)?;
        let known = b"diuxXocCsSp".contains(&insert.conversion) && format.0.is_empty();
        if known { Ok(insert) } else { Err(INVALID_PARAMETER) }
    }

    /// Parses the size of an integer or the width of characters.
    fn modifier(&mut self, format: &mut Format<'_>) {
        if ["I64", "ll", "z", "j", "t"].iter().any(|word| format.skip(word)) {
            self.size = Size::Whole;
        } else if format.skip("I32") {
        } else if format.skip("I") {
            self.size = Size::Whole;
        } else if format.skip("l") || format.skip("w") {
            self.characters = Some(Width::Wide);
        } else if format.skip("h") {
            self.size = Size::Short;
            self.characters = Some(Width::Narrow);
        }
    }

    /// Returns the text of the insert. `usual` is the width of characters for this call.
    ///
    /// # Safety
    ///
    /// The program passed the arguments that the insert requires, with the types that it states.
    pub(super) unsafe fn text(
        mut self,
        arguments: &mut Arguments,
        usual: Width,
    ) -> Result<Vec<u16>> {
        let mut next = Some(self.argument);
        let stars = self.width == Number::Argument || self.precision == Number::Argument;
        // SAFETY: the caller guarantees that the program passed the arguments that the insert
        // requires.
        let width = unsafe { read(self.width, &mut next, arguments) }?;
        // SAFETY: the caller guarantees that the program passed the arguments that the insert
        // requires.
        let precision = unsafe { read(self.precision, &mut next, arguments) }?;
        // SAFETY: the caller guarantees that the program passed the arguments that the insert
        // requires.
        let value = unsafe { arguments.get(next) }?;
        if stars {
            arguments.forget_last();
        }
        self.left |= width.is_some_and(|width| width < 0);
        let width = width.map_or(0, |width| width.unsigned_abs() as usize);
        // As in C, a negative precision means none.
        let precision = precision.and_then(|precision| usize::try_from(precision).ok());
        if width.max(precision.unwrap_or(0)) > MAX_WIDTH {
            return Err(INVALID_PARAMETER);
        }
        let characters = match self.conversion {
            b'S' | b'C' => self.characters.unwrap_or(usual.other()),
            _ => self.characters.unwrap_or(usual),
        };
        match self.conversion {
            b'c' | b'C' => Ok(self.padded(character(value, characters), width)),
            b's' | b'S' => {
                // SAFETY: the insert states that its value is a string, so the caller guarantees
                // that it is null or valid up to `precision` or a NUL.
                let text = unsafe { text_at(value, characters, precision) };
                Ok(self.padded(text, width))
            }
            _ => Ok(self.numeral(value, width, precision)),
        }
    }

    fn padded(&self, text: Vec<u16>, width: usize) -> Vec<u16> {
        let spaces = vec![u16::from(b' '); width.saturating_sub(text.len())];
        if self.left { [text, spaces].concat() } else { [spaces, text].concat() }
    }

    fn numeral(&self, value: usize, width: usize, precision: Option<usize>) -> Vec<u16> {
        let (negative, value) = self.number(value as u64);
        let digits = match self.conversion {
            b'o' => format!("{value:o}"),
            b'x' => format!("{value:x}"),
            b'X' => format!("{value:X}"),
            b'p' => format!("{value:0digits$X}", digits = 2 * size_of::<usize>()),
            _ if value == 0 && precision == Some(0) => String::new(),
            _ => value.to_string(),
        };
        let before = match self.conversion {
            b'd' | b'i' if negative => "-",
            b'd' | b'i' => self.sign,
            b'x' if self.prefixed && value != 0 => "0x",
            b'X' if self.prefixed && value != 0 => "0X",
            b'o' if self.prefixed => "0",
            _ => "",
        };
        let least = match precision {
            Some(precision) => precision,
            None if self.zeros && !self.left => width.saturating_sub(before.len()),
            None => 0,
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        self.padded(utf16(format!("{before}{zeros}{digits}").as_bytes()), width)
    }

    /// Returns whether the number is negative, and its magnitude.
    #[allow(clippy::cast_possible_truncation, reason = "the format determines the number of bits")]
    fn number(&self, value: u64) -> (bool, u64) {
        let signed = match self.size {
            Size::Short => i64::from((value as u16).cast_signed()),
            Size::Long => i64::from((value as u32).cast_signed()),
            Size::Whole => value.cast_signed(),
        };
        match (self.conversion, self.size) {
            (b'd' | b'i', _) => (signed < 0, signed.unsigned_abs()),
            (b'p', _) | (_, Size::Whole) => (false, value),
            (_, Size::Short) => (false, u64::from(value as u16)),
            (_, Size::Long) => (false, u64::from(value as u32)),
        }
    }
}

/// Returns the value of a width or precision. If it is an argument, reads it from the argument
/// `next`, and advances `next`.
///
/// # Safety
///
/// The program passed the arguments that the insert requires.
unsafe fn read(
    number: Number,
    next: &mut Option<usize>,
    arguments: &mut Arguments,
) -> Result<Option<i32>> {
    Ok(match number {
        Number::None => None,
        Number::Given(number) => i32::try_from(number).ok(),
        // SAFETY: the caller guarantees that the program passed the argument.
        #[allow(clippy::cast_possible_truncation, reason = "the program passes an int")]
        Number::Argument => Some((unsafe { arguments.get(next.take()) }? as u32).cast_signed()),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "the program passes a character")]
fn character(value: usize, width: Width) -> Vec<u16> {
    match width {
        Width::Wide => vec![value as u16],
        Width::Narrow => utf16(&[value as u8]),
    }
}

/// Returns the string at an address, truncated to `max_len` units.
///
/// # Safety
///
/// `address` is zero, or that of a string that ends in a NUL or has at least `max_len` units.
unsafe fn text_at(address: usize, width: Width, max_len: Option<usize>) -> Vec<u16> {
    let max_len = max_len.unwrap_or(usize::MAX);
    if address == 0 {
        return "(null)".encode_utf16().take(max_len).collect();
    }
    match width {
        // SAFETY: the address is not zero, so the caller guarantees that the string ends in a NUL
        // or has at least `max_len` units.
        Width::Wide => unsafe { up_to_nul(std::ptr::with_exposed_provenance(address), max_len) },
        Width::Narrow => {
            // SAFETY: the address is not zero, so the caller guarantees that the string ends in a NUL or
            // has at least `max_len` units.
            utf16(&unsafe { up_to_nul(std::ptr::with_exposed_provenance::<u8>(address), max_len) })
        }
    }
}

/// # Safety
///
/// `text` ends in a NUL or has at least `max_len` units.
unsafe fn up_to_nul<T: Copy + Default + PartialEq>(text: *const T, max_len: usize) -> Vec<T> {
    let units = (0..max_len).map(|i| {
        let slot = text.wrapping_add(i);
        // SAFETY: the caller guarantees that the string has `max_len` units or a NUL. `take_while`
        // stops at the NUL, so this closure reads no unit after it.
        unsafe { slot.read_unaligned() }
    });
    units.take_while(|unit| *unit != T::default()).collect()
}
