use std::io::{self, Write};

use clap::Args;
use pagemate::inventory;
use serde::Serialize;

use crate::bytes::bytes;
use crate::failure::Outcome;
use crate::json::print_json;

/// Remove the files of dead objects, which killed processes left behind, and print how much memory
/// that freed.
///
/// This is rarely needed. A dead object's name is free for its owner at once, and the processes that
/// list or create objects remove the files of dead ones. But a dead `Global\` object of one user
/// blocks its name for other users until its owner or root runs pagemate.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  pagemate prune

The JSON object has the fields objects and bytes.

Exit status:
  0    success, also if there was nothing to remove
  2    failure")]
pub(crate) struct Prune {
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// The result as `--json` prints it.
#[derive(Serialize)]
struct Pruned {
    objects: u64,
    bytes: u64,
}

impl Prune {
    pub(crate) fn run(self) -> Outcome {
        let pruned = inventory::prune()?;
        if self.json {
            let pruned = Pruned { objects: pruned.objects, bytes: pruned.bytes };
            return print_json(&pruned, io::stdout());
        }
        let objects = if pruned.objects == 1 { "object" } else { "objects" };
        let (count, bytes) = (pruned.objects, bytes(pruned.bytes));
        Ok(writeln!(io::stdout(), "removed {count} {objects}, {bytes}")?)
    }
}
