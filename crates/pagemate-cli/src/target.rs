//! The name that a command is about.

use clap::Args;
use pagemate::Name;

use crate::failure::{Failure, Outcome};
use crate::text::in_line;

#[derive(Args, Debug)]
pub(crate) struct Target {
    /// The object's name: `x` or `Local\x` for this user, `Global\x` for the machine.
    name: String,
    /// Take NAME as `Global\NAME`.
    #[arg(long)]
    global: bool,
}

impl Target {
    pub(crate) fn name(&self) -> Outcome<Name> {
        if !self.global {
            return Ok(Name::new(&self.name)?);
        }
        if self.name.starts_with(r"Local\") {
            let why = "its prefix and --global contradict each other; give one of them";
            return Err(Failure::new(format!("use name \"{}\": {why}", in_line(&self.name))));
        }
        Ok(Name::new(&format!(r"Global\{}", self.name))?)
    }
}
