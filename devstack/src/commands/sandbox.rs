//! `./mart sandbox`.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use devstack::sandbox;

/// Serve the payment sandbox, as ./mart up does: a payment provider that takes no money.
///
/// SANDBOX_KEY has the key of its API, SANDBOX_SECRET the secret that signs its webhooks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8200")]
    address: SocketAddr,
    /// The URL to send webhooks to: /v1/payment-webhooks/sandbox of the gateway.
    #[arg(long, value_name = "URL")]
    callback: String,
    /// The base URL of the payment pages, if customers reach them at another address than ADDRESS.
    #[arg(long, value_name = "URL")]
    page: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let secret = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let key = secret("SANDBOX_KEY").context("SANDBOX_KEY is missing: the key that payment uses for the API")?;
    let secret = secret("SANDBOX_SECRET").context("SANDBOX_SECRET is missing: the secret that signs webhooks")?;
    let _guard = super::log_to_stdout();
    let Arguments { address, callback, page } = arguments;
    let page = page.unwrap_or_else(|| format!("http://{address}"));
    sandbox::serve(sandbox::SandboxConfig { address, page, callback, key, secret }).await?;
    Ok(ExitCode::SUCCESS)
}
