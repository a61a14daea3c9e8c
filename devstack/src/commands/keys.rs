//! `./mart keys`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use devstack::keys::{Keys, LONGEST_TOKEN, READ_AGAIN};
use devstack::stack::Running;
use devstack::{say, state};

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
    let keys = Keys::in_folder(&state().join("keys"))?;
    if let Command::Rotate = arguments.command {
        Running::read()?;
        keys.publish_next()?;
        say!("new keys are published; they sign in {} seconds", READ_AGAIN.as_secs());
        tokio::time::sleep(READ_AGAIN).await;
        ensure!(
            gateway_knows(&keys)?,
            "{} does not name the new keys, so the gateway would refuse them: see what ./mart up says, and rotate again",
            gateway_file().display()
        );
        keys.sign_with_next()?;
        say!("they sign; ./mart up withdraws the old ones in {} minutes", LONGEST_TOKEN.as_secs() / 60);
    }
    for key in keys.all()? {
        say!("  {:<12} {}", key.kid(), keys.step(&key)?);
    }
    Ok(ExitCode::SUCCESS)
}
