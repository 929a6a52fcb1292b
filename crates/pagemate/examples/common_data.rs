//! Shares a text: the first process writes it, and processes that run later read it.
//!
//! ```sh
//! cargo run -p pagemate --example common_data    # in two terminals
//! ```
//!
//! Press Enter to end each process. When both have ended, the text is gone, and the next process
//! writes it again.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it shows what it does")]

use pagemate::SectionOptions;

const TEXT: &[u8] = b"This is common data!";

fn main() -> pagemate::Result<()> {
    let section = SectionOptions::new().len(4096).open_or_create("ShareMemory")?;
    let view = section.map()?;
    if section.was_created() {
        view.write_at(0, TEXT)?;
        println!("Write shared memory data: {}", String::from_utf8_lossy(TEXT));
    } else {
        let mut text = [0; TEXT.len()];
        view.read_at(0, &mut text)?;
        println!("read shared memory data: {}", String::from_utf8_lossy(&text));
    }
    std::io::stdin().read_line(&mut String::new()).expect("standard input");
    Ok(())
}
