//! Shares memory without a name with a child process. No other process can open it.
//!
//! ```sh
//! cargo run -p pagemate --example handed_to_child
//! ```
//!
//! A section is a descriptor on Unix and a handle on Windows. A child inherits its standard input,
//! so this program passes the section as standard input.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, io};

use pagemate::typed::Racy;
use pagemate::{Section, SectionOptions, Shareable, Shared};

/// The memory that the parent and its child share.
#[derive(Shareable)]
#[repr(C)]
struct Dialogue {
    question: Racy<[u8; 20]>,
    answer: AtomicU32,
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("child") => answer(),
        _ => ask(),
    }
}

fn ask() -> Result<(), Box<dyn Error>> {
    let section = SectionOptions::new().len(4096).create_unnamed()?;
    let dialogue = Shared::<Dialogue>::map(&section, 0)?;
    dialogue.question.set(b"What is six times 7?");
    println!("process {} asks", process::id());
    let input = standard_input(&section)?;
    let status = Command::new(env::current_exe()?).arg("child").stdin(input).status()?;
    if !status.success() {
        return Err(format!("the child failed: {status}").into());
    }
    println!("it was answered: {}", dialogue.answer.load(Ordering::Relaxed));
    Ok(())
}

fn answer() -> Result<(), Box<dyn Error>> {
    let dialogue = Shared::<Dialogue>::map(&section_at_standard_input()?, 0)?;
    let question = dialogue.question.get();
    println!("process {} was asked: {}", process::id(), String::from_utf8_lossy(&question));
    dialogue.answer.store(42, Ordering::Relaxed);
    Ok(())
}

cfg_select! {
    unix => {
        use std::os::fd::AsFd;

        fn standard_input(section: &Section) -> io::Result<Stdio> {
            Ok(section.as_fd().try_clone_to_owned()?.into())
        }

        fn section_at_standard_input() -> Result<Section, Box<dyn Error>> {
            Ok(io::stdin().as_fd().try_clone_to_owned()?.try_into()?)
        }
    }
    windows => {
        use std::os::windows::io::AsHandle;

        fn standard_input(section: &Section) -> io::Result<Stdio> {
            Ok(section.as_handle().try_clone_to_owned()?.into())
        }

        fn section_at_standard_input() -> Result<Section, Box<dyn Error>> {
            Ok(io::stdin().as_handle().try_clone_to_owned()?.try_into()?)
        }
    }
}
