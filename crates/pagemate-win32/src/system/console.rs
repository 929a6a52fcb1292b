//! Keys as they are pressed.
#![allow(unsafe_code, reason = "exported under the names of Microsoft's C library")]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::stdin;
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcsetattr};

/// What stands for a key where there is none any more.
const EOF: i32 = -1;

/// Keys that mean a signal, and which.
const SIGNALS: [(SpecialCodeIndex, Signal); 3] = [
    (SpecialCodeIndex::VINTR, Signal::INT),
    (SpecialCodeIndex::VQUIT, Signal::QUIT),
    (SpecialCodeIndex::VSUSP, Signal::TSTP),
];

/// The terminal gives every key at once and shows none, until this is dropped.
struct Raw {
    before: Termios,
}

impl Raw {
    /// None where standard input is no terminal.
    fn new() -> Option<Raw> {
        let before = tcgetattr(stdin()).ok()?;
        let mut raw = before.clone();
        // The keys of signals too: whoever dies of one would leave the terminal as it is now.
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        raw.input_modes -= InputModes::ICRNL;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Raw { before })
    }

    /// The signal that this key means.
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

fn key() -> i32 {
    loop {
        let raw = Raw::new();
        // Prompts need not end in a line break. Whoever sees one finds the terminal ready.
        // SAFETY: null stands for all streams.
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

/// Waits for a key and tells which. Where standard input is no terminal, it is the next byte.
#[unsafe(no_mangle)]
pub extern "C" fn _getch() -> i32 {
    key()
}

/// The same, and shows it.
#[unsafe(no_mangle)]
pub extern "C" fn _getche() -> i32 {
    let key = key();
    if key == EOF { key } else { show(key) }
}

/// Whether a key waits to be read.
#[unsafe(no_mangle)]
pub extern "C" fn _kbhit() -> i32 {
    let _raw = Raw::new();
    let input = stdin();
    let mut waiting = [PollFd::new(&input, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    i32::from(poll(&mut waiting, Some(&now)).is_ok_and(|ready| ready > 0))
}

/// Shows a character at once.
#[unsafe(no_mangle)]
pub extern "C" fn _putch(character: i32) -> i32 {
    show(character)
}

fn show(character: i32) -> i32 {
    // SAFETY: putchar takes numbers.
    let shown = unsafe { libc::putchar(character) };
    // SAFETY: null stands for all streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    shown
}
