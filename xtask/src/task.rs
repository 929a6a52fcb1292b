//! Runs commands.

use std::process::Command;

/// The result of a task; the error is a message.
pub(crate) type Outcome = Result<(), String>;

/// Prints a command and runs it. Fails if the command fails.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    let call = std::iter::once(command.get_program().to_string_lossy().into_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ");
    println!("==> {call}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{call}: {status}")),
        Err(error) => Err(format!("{call}: {error}")),
    }
}
