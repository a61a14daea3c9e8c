//! The command line. Its help is the manual.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Generate and maintain the services of the mart from their contracts.
///
/// A service's contract (proto/mart/SERVICE/v1/*.proto) declares its HTTP operations, the events that it publishes and the events
/// that it consumes. martgen renders adapters, gateway routes, Compose entries and API documents from the contracts. The business
/// logic is written by hand: the compiler reports every operation, event and error that is not implemented yet.
///
/// There are three kinds of files, and martgen.lock has a line for each file. Generated files are always rewritten. Managed files
/// are rewritten too, but a recorded waiver keeps an edited one. Scaffold files are written once, by new-service, and are yours
/// from then on.
///
/// Exit codes: 0 success; 1 there are findings; 2 the command line or a contract is invalid; 3 the command failed or was refused.
#[derive(Debug, Parser)]
#[command(name = "cargo martgen", bin_name = "cargo martgen", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// A folder of the tree to work on. The default is the current folder.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,
    /// Print the result as one JSON document.
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

/// Create a service from its contract, or from a sample contract if it has none.
///
/// The contract is read from proto/mart/NAME. If that folder has no contract, a sample is written: one resource that is created,
/// read, listed, updated and deleted, with an event for each change. These five operations of a resource are generated
/// completely: core, store, migration, adapters, tests and scenarios. Nothing is generated for any other operation, event or
/// error; the output lists them, and the compiler reports them until they are implemented.
///
/// The service's scaffold files are yours. generate keeps its generated and managed files up to date. remove-service undoes
/// new-service.
#[derive(Debug, Args)]
pub(crate) struct NewService {
    /// The service's name: lower-case letters, digits and single underscores, such as review or gift_card.
    pub(crate) name: String,
    /// An event that the service consumes, such as product.ProductArchived. Can be repeated.
    #[arg(long, value_name = "SERVICE.EVENT")]
    pub(crate) consumes: Vec<String>,
    /// List the files that would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show the contents that would be written, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,
}

/// Remove a service: its generated, managed and scaffold files, and its contract if new-service wrote it.
///
/// Files that were changed or added since new-service are listed and need --force. The command is refused while another service
/// consumes the service's events. Its database, topics and consumer group stay; the output has the commands that drop them.
#[derive(Debug, Args)]
pub(crate) struct RemoveService {
    /// The service's name.
    pub(crate) name: String,
    /// Remove files that were changed or added since new-service, too.
    #[arg(long)]
    pub(crate) force: bool,
    /// List the files that would be removed, and remove nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Write every file that follows from the contracts, all or none.
///
/// Files that are up to date are not touched. A generated or managed file that was edited by hand is shown with its difference
/// and left as it is; all others are written, and the exit code is 1.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Generate {
    /// List the files that would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show how each file would change, and write nothing.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write nothing, and exit with 1 if a file would be written.
    #[arg(long)]
    pub(crate) check: bool,
    /// Discard edits of generated and managed files, even if they have a waiver.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

/// Report stale, missing, edited and orphaned files without writing, offline.
///
/// Reports invalid contracts and cores that depend on I/O as well. Each finding has its place, its cause, and the command or the
/// edit that fixes it. Scaffold files whose operation or event has left the contract are noted.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Report instead what breaks clients of the contracts of a commit, branch or tag. This needs git and buf.
    ///
    /// buf's rules cover messages and enums. martgen's own rules cover its options: paths, roles, errors, topics, keys, and field
    /// rules that accept fewer values than before. Each finding lists the affected services.
    #[arg(long, value_name = "REF")]
    pub(crate) against: Option<String>,
}

/// Keep an edited managed file, and record the reason.
///
/// The waiver is valid for the current rendering of the file. When that changes, check reports the waiver.
#[derive(Debug, Args)]
pub(crate) struct Waive {
    /// The file's path from the top of the tree.
    pub(crate) file: String,
    /// The reason why this service differs from all others, for future maintainers.
    #[arg(long)]
    pub(crate) reason: String,
}

/// Print the graph of services and the events between them.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The output format.
    #[arg(long, value_enum, default_value_t = Form::Mermaid)]
    pub(crate) format: Form,
}

/// A format of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For programs.
    Json,
}

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}
