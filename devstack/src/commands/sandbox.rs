//! `./mart sandbox`.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::sandbox;

/// Serve the payment provider that takes no money, as ./mart up does. Its key and its secret stand in SANDBOX_KEY and
/// SANDBOX_SECRET.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to serve.
    #[arg(long, default_value = "127.0.0.1:8200")]
    address: SocketAddr,
    /// Where its words go: the gateway's /v1/payment-webhooks/sandbox.
    #[arg(long)]
    callback: String,
    /// The address of its pages, where customers reach it by another one than it serves at.
    #[arg(long)]
    page: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let key = secret("SANDBOX_KEY").context("SANDBOX_KEY is missing: what lets payment use the API")?;
    let secret = secret("SANDBOX_SECRET").context("SANDBOX_SECRET is missing: what words are signed with")?;
    let _lines = super::log_lines();
    let Arguments { address, callback, page } = arguments;
    let page = page.unwrap_or_else(|| format!("http://{address}"));
    sandbox::serve(sandbox::ServiceSpec { address, page, callback, key, secret }).await?;
    Ok(ExitCode::SUCCESS)
}
