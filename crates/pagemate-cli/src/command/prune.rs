use std::io::Write;

use clap::Args;
use pagemate::inventory;

use crate::failure::Outcome;

/// Remove the files of dead objects, which killed processes left behind, and print how much memory
/// that freed.
///
/// This is rarely needed. A dead object's name is free for its owner at once, and the processes that
/// list or create objects remove the files of dead ones. But a dead `Global\` object of one user
/// blocks its name for other users until its owner or root runs pagemate.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pagemate prune")]
pub(crate) struct Prune {}

impl Prune {
    pub(crate) fn run(Prune {}: Prune) -> Outcome {
        let pruned = inventory::prune()?;
        let objects = if pruned.objects == 1 { "object" } else { "objects" };
        let (count, bytes) = (pruned.objects, pruned.bytes);
        Ok(writeln!(std::io::stdout(), "removed {count} {objects}, {bytes} bytes")?)
    }
}
