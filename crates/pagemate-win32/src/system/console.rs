//! `conio.h`: reads single keys from the terminal.
#![allow(unsafe_code, reason = "exported under the names of Microsoft's C library")]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::stdin;
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcsetattr};

/// The result at the end of the input.
const EOF: i32 = -1;

/// The keys that send a signal, and their signals.
const SIGNALS: [(SpecialCodeIndex, Signal); 3] = [
    (SpecialCodeIndex::VINTR, Signal::INT),
    (SpecialCodeIndex::VQUIT, Signal::QUIT),
    (SpecialCodeIndex::VSUSP, Signal::TSTP),
];

/// A terminal in raw mode: it delivers each key at once and does not echo it. Dropping the value
/// restores the previous mode.
struct Raw {
    before: Termios,
}

impl Raw {
    /// Returns `None` if standard input is not a terminal.
    fn new() -> Option<Raw> {
        let before = tcgetattr(stdin()).ok()?;
        let mut raw = before.clone();
        // Disable the keys that send signals as well: a signal could kill the program while the
        // terminal is in raw mode. `_getch` sends the signal itself after it has restored the mode.
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        raw.input_modes -= InputModes::ICRNL;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw { before })
    }

    /// Returns the signal of a key.
    fn signal(&self, key: u8) -> Option<Signal> {
        let codes = &self.before.special_codes;
        let found = SIGNALS.iter().find(|(code, _)| key != 0 && codes[*code] == key);
        found
            .filter(|_| self.before.local_modes.contains(LocalModes::ISIG))
            .map(|(_, signal)| *signal)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}

fn read_key() -> i32 {
    loop {
        let raw = Raw::new();
        // Write buffered output, which may be a prompt without a newline. Do it after the change of
        // the mode, so that a key that a user presses in answer to the prompt is not echoed.
        // SAFETY: `fflush` of null flushes all streams.
        unsafe { libc::fflush(std::ptr::null_mut()) };
        let mut key = [0];
        match rustix::io::read(stdin(), &mut key) {
            Ok(1) => {}
            Err(Errno::INTR) => continue,
            _ => return EOF,
        }
        let Some(signal) = raw.as_ref().and_then(|raw| raw.signal(key[0])) else {
            return key[0].into();
        };
        drop(raw);
        _ = kill_process(getpid(), signal);
    }
}

/// Waits for a key and returns it. Reads the next byte if standard input is not a terminal.
#[unsafe(no_mangle)]
pub extern "C" fn _getch() -> i32 {
    read_key()
}

/// Does the same as [`_getch`], and echoes the key.
#[unsafe(no_mangle)]
pub extern "C" fn _getche() -> i32 {
    let key = read_key();
    if key == EOF { key } else { echo(key) }
}

/// Returns whether a key was pressed that the program has not read yet.
#[unsafe(no_mangle)]
pub extern "C" fn _kbhit() -> i32 {
    let _raw = Raw::new();
    let input = stdin();
    let mut waiting = [PollFd::new(&input, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    i32::from(poll(&mut waiting, Some(&now)).is_ok_and(|ready| ready > 0))
}

/// Writes a character and flushes it.
#[unsafe(no_mangle)]
pub extern "C" fn _putch(character: i32) -> i32 {
    echo(character)
}

fn echo(character: i32) -> i32 {
    // SAFETY: `putchar` accepts any number.
    let shown = unsafe { libc::putchar(character) };
    // SAFETY: `fflush` of null flushes all streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    shown
}
