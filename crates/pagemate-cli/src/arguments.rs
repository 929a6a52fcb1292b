//! Arguments that several commands share: the name of an object, a time, and the option `--wait`.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCompleter;
use pagemate::{ErrorKind, Name, Namespace, Sharing};

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::opening;
use crate::text::escape_line;
use crate::time::duration;

/// The argument for the name of an object.
#[derive(Args, Clone, Debug)]
pub(crate) struct ObjectName {
    /// Name of the object: 'x' or 'Local\x' for this user, 'Global\x' for the machine.
    #[arg(add = ArgValueCompleter::new(complete::names))]
    name: String,
    /// Use the machine-wide object 'Global\NAME'.
    #[arg(long)]
    global: bool,
}

impl ObjectName {
    /// Checks the name, and adds the prefix `Global\` if `--global` is given.
    pub(crate) fn parse(&self) -> Outcome<Name> {
        if !self.global {
            return Ok(Name::new(&self.name)?);
        }
        if self.name.starts_with(r"Local\") {
            let why = "its prefix Local\\ contradicts --global; remove one of them";
            return Err(Failure::new(format!("use name \"{}\": {why}", escape_line(&self.name))));
        }
        Ok(Name::new(&format!(r"Global\{}", self.name))?)
    }
}

/// Returns a failure of `call` if the name is one that the other users cannot open.
pub(crate) fn check_sharing(call: &str, name: &Name, sharing: Sharing) -> Outcome {
    if cfg!(unix) && name.namespace() == Namespace::Local && sharing != Sharing::Owner {
        let why = "other users cannot open a local name; add --global";
        return Err(Failure::new(format!("{call} \"{name}\": {why}")));
    }
    Ok(())
}

/// The options `--wait` and `--timeout`: whether, and for how long, a command waits until some
/// process holds the name.
#[derive(Args, Debug)]
pub(crate) struct WaitForName {
    /// If no process holds the name, wait until one does.
    #[arg(long)]
    wait: bool,
    /// With --wait: wait for at most this time, such as 2s or 500ms, then exit with code 1.
    #[arg(long, value_name = "TIME", requires = "wait", allow_negative_numbers = true)]
    #[arg(value_parser = duration)]
    timeout: Option<Duration>,
}

impl WaitForName {
    /// Returns whether `--wait` is given.
    pub(crate) fn is_given(&self) -> bool {
        self.wait
    }

    /// Opens the object `name`. Calls `open` with the time for which it may wait for the name.
    pub(crate) fn open<T>(
        &self,
        name: &Name,
        mut open: impl FnMut(Duration) -> pagemate::Result<T>,
    ) -> Outcome<T> {
        if !self.wait {
            return open(Duration::ZERO).map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    Failure::Missing(format!("{error:#}; --wait waits until one does"))
                }
                _ => error.into(),
            });
        }
        let time = self.timeout.unwrap_or(Duration::MAX);
        opening::wait_for(name, time, open)?.ok_or_else(|| opening::timed_out(name, time))
    }
}
