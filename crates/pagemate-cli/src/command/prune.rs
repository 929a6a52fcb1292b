use std::io::Write;

use clap::Args;
use pagemate::inventory;

use crate::failure::Outcome;

/// Give back what dead processes left, and say how much that was.
///
/// Seldom needed: a dead object's name is free to its owner at once, and whoever creates or lists
/// next gives its memory back in passing. Other users have to wait for that under a `Global\` name.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  pagemate prune")]
pub(crate) struct Prune {}

impl Prune {
    pub(crate) fn run(Prune {}: Prune) -> Outcome {
        let pruned = inventory::prune()?;
        let objects = if pruned.objects == 1 { "object" } else { "objects" };
        let (count, bytes) = (pruned.objects, pruned.bytes);
        Ok(writeln!(std::io::stdout(), "gave back {count} {objects}, {bytes} bytes")?)
    }
}
