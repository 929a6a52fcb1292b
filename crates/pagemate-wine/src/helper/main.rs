//! The helper of `pagemate bridge`: a Windows program that runs in the Wine prefix. It reports the named
//! sections of the session, and creates those that the bridge offers. `protocol.rs` has its commands and
//! reports. It ends when its standard input is closed, and so with the bridge.

#[cfg(windows)]
mod directory;
#[cfg(windows)]
mod events;
#[cfg(windows)]
mod native;
#[cfg(windows)]
mod offers;
#[cfg(windows)]
mod run;
#[cfg(windows)]
mod scan;

fn main() -> std::process::ExitCode {
    #[cfg(windows)]
    return run::run();
    #[cfg(not(windows))]
    {
        use std::io::Write as _;
        let why =
            "pagemate-wine-helper: this program runs under Wine; 'cargo xtask dist' builds it\n";
        _ = std::io::stderr().write_all(why.as_bytes());
        std::process::ExitCode::from(2)
    }
}
