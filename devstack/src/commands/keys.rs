//! `./mart keys`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use devstack::gateway::effective;
use devstack::keys::{Keys, LONGEST_TOKEN, READ_AGAIN};
use devstack::stack::Running;
use devstack::{outln, root, state};

/// The keys that sign access tokens.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Publish new keys, sign with them as soon as everybody knows them, and leave the old ones until their last token has run
    /// out; the running mart withdraws them then. No request fails.
    Rotate,
    /// List the keys.
    List,
    /// Make keys where there are none, for services that run elsewhere, and give the public ones to who needs them.
    Make {
        /// The folder of the private ones, for the user service and nobody else.
        #[arg(long)]
        folder: PathBuf,
        /// The file of the public ones, for every service.
        #[arg(long)]
        jwks: PathBuf,
        /// The file that Kong reads: the rendered routes with the public keys.
        #[arg(long)]
        gateway: PathBuf,
    },
}

fn make(folder: &Path, jwks: &Path, gateway: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let keys = Keys::in_folder(folder)?;
    let rendered = root().join("kong/kong.yml");
    let rendered = std::fs::read_to_string(&rendered).with_context(|| format!("{} is missing", rendered.display()))?;
    let served = effective(&rendered, &keys, &BTreeMap::new())?;
    for (file, text) in [(jwks, std::fs::read_to_string(keys.jwks())?), (gateway, served)] {
        let fresh = file.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, file)?;
    }
    outln!("keys are in {}, the public ones in {} and in {}", folder.display(), jwks.display(), gateway.display());
    Ok(())
}

/// What the gateway serves.
fn gateway_file() -> PathBuf {
    state().join("kong.yml")
}

fn gateway_knows(keys: &Keys) -> Result<bool> {
    let file = std::fs::read_to_string(gateway_file())?;
    Ok(keys.all()?.iter().all(|key| file.contains(&format!("key: {}\n", key.kid()))))
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Command::Make { folder, jwks, gateway } = &arguments.command {
        make(folder, jwks, gateway)?;
        return Ok(ExitCode::SUCCESS);
    }
    let keys = Keys::in_folder(&state().join("keys"))?;
    if let Command::Rotate = arguments.command {
        Running::read()?;
        keys.publish_next()?;
        outln!("new keys are published; they sign in {} seconds", READ_AGAIN.as_secs());
        tokio::time::sleep(READ_AGAIN).await;
        ensure!(
            gateway_knows(&keys)?,
            "{} does not name the new keys, so the gateway would refuse them: see what ./mart up says, and rotate again",
            gateway_file().display()
        );
        keys.sign_with_next()?;
        outln!("they sign; ./mart up withdraws the old ones in {} minutes", LONGEST_TOKEN.as_secs() / 60);
    }
    for key in keys.all()? {
        outln!("  {:<12} {}", key.kid(), keys.step(&key)?);
    }
    Ok(ExitCode::SUCCESS)
}
