//! `./mart keys`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use devstack::gateway::effective;
use devstack::keys::{Keys, MAX_TOKEN_LIFETIME, SIGNING_DELAY};
use devstack::running::RunningStack;
use devstack::{outln, root, state};

/// Rotate, list or create the keys that sign access tokens.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Replace the signing keys of the running mart without failing a request.
    ///
    /// The new keys are published first and sign once every verifier has read them. The running mart withdraws the old keys when
    /// their last token has expired.
    Rotate,
    /// List the keys.
    List,
    /// Create missing keys for services that run elsewhere, and write the public keys for services and Kong.
    Make {
        /// The folder of the private keys; only the user service may read it.
        #[arg(long)]
        folder: PathBuf,
        /// The file to write the public keys to (JWKS), for every service.
        #[arg(long)]
        jwks: PathBuf,
        /// The file to write for Kong: the rendered routes and the public keys.
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
    outln!(
        "the private keys are in {}, the public keys in {} and {}",
        folder.display(),
        jwks.display(),
        gateway.display()
    );
    Ok(())
}

/// Returns the path of the file that the running gateway serves.
fn gateway_file() -> PathBuf {
    state().join("kong.yml")
}

fn gateway_has(keys: &Keys) -> Result<bool> {
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
        RunningStack::read()?;
        keys.publish_next()?;
        outln!("published new keys; they start to sign in {} s", SIGNING_DELAY.as_secs());
        tokio::time::sleep(SIGNING_DELAY).await;
        ensure!(
            gateway_has(&keys)?,
            "{} lacks the new keys, so their tokens would be rejected: fix the error that ./mart up printed, then rotate again",
            gateway_file().display()
        );
        keys.sign_with_next()?;
        let minutes = MAX_TOKEN_LIFETIME.as_secs() / 60;
        outln!("the new keys sign now; ./mart up withdraws the old ones in {minutes} minutes");
    }
    for key in keys.all()? {
        outln!("  {:<12} {}", key.kid(), keys.state(&key)?);
    }
    Ok(ExitCode::SUCCESS)
}
