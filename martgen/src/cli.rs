//! The command line. Its help is the manual.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Makes and keeps the mart's services.
///
/// A service's contract (proto/mart/SERVICE/v1/*.proto) says which operations it offers over HTTP, which events it publishes
/// and which events of others it reacts to. martgen renders from it everything that must not drift, and leaves the rest to
/// people: what is missing is a compile error until somebody has answered for it.
///
/// generated files are always rewritten. managed files are rewritten too, so that all services stay of one shape; a recorded
/// waiver keeps an edited one. scaffold files are written once, by new-service, and are yours from then on. martgen.lock has a line
/// for each.
///
/// Exit codes: 0 everything is as it shall be; 1 there are findings; 2 the command line or a contract is wrong; 3 it could
/// not be done, or was refused.
#[derive(Debug, Parser)]
#[command(name = "cargo martgen", bin_name = "cargo martgen", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The tree to work on; the one around the current folder where it is not given.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
    /// Tell everything as one JSON document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    NewService(NewService),
    RemoveService(RemoveService),
    Generate(Generate),
    Check(Check),
    Waive(Waive),
    Graph(Graph),
    Completions(Completions),
}

/// Make a service from its contract, or from a sample where it has none.
///
/// Where proto/mart/NAME stands already, the service is made from it; else from a sample contract: one aggregate that is
/// created, read, listed, changed and deleted, with an event for each change. Create, get, list, update and delete of a
/// resource come whole - core, store, migration, adapters, tests, scenarios. For every other operation nothing is written: the
/// compiler names it until somebody has. What is written is yours, scaffolds; generated and managed files are kept by generate.
///
/// remove-service undoes it.
#[derive(Debug, Args)]
pub(crate) struct NewService {
    /// Its name: small letters, digits and single underscores, such as review or gift_card.
    pub(crate) name: String,
    /// An event that it reacts to, such as product.ProductArchived; may be given again.
    #[arg(long, value_name = "SERVICE.EVENT")]
    pub(crate) consumes: Vec<String>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,
}

/// Take a service away again: what was generated and seeded, and its contract where that was seeded too.
///
/// Seeds that were changed since they were written are listed and need --force. It is refused while another service reacts to
/// its events. Databases, topics and groups are left; the commands that drop them are told.
#[derive(Debug, Args)]
pub(crate) struct RemoveService {
    /// Its name.
    pub(crate) name: String,
    /// Remove scaffolds too that were changed since.
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Write what the contracts ask for, all of it or nothing.
///
/// Files that are as they shall be are not touched. A generated or managed file that somebody edited is shown with its
/// difference and left alone; all others are written, and the exit code is 1.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Generate {
    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show how each file would change, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write nothing; exit with 1 where something would be written.
    #[arg(long)]
    pub(crate) check: bool,
    /// Give up edits of generated and managed files, waived ones too.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

/// Say what is not as it shall be, and write nothing; offline, without cargo and git.
///
/// Files that are stale, missing, edited by hand or orphaned; cores that reach I/O; contracts that can't be served. Each finding
/// says where, what, and the command or the edit that mends it. Seeds that outlive their operation are noted.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Say instead what breaks those who use the contracts of a commit, branch or tag (this one uses git and buf).
    ///
    /// buf's rules over messages and enums, and ours over what only our options say: paths, roles, errors, topics, keys and
    /// rules that take less than before; each with the services that it reaches.
    #[arg(long, value_name = "REF")]
    pub(crate) against: Option<String>,
}

/// Keep an edited managed file, and say why.
///
/// The waiver names the rendering that it was made against: where that changes later, check shows the difference again.
#[derive(Debug, Args)]
pub(crate) struct Waive {
    /// The file, from the top of the tree.
    pub(crate) file: String,
    /// Why this service differs from all others, for who reads it in a year.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Draw which service publishes which event, and who reacts to it.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Form::Mermaid)]
    pub(crate) format: Form,
}

/// A form of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For programs.
    Json,
}

/// Write completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}
