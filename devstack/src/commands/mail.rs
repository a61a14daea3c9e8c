//! `./mart mail`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use devstack::mail;
use regex::Regex;

/// Serve a mail server that keeps what it gets and sends nothing on, as ./mart up does.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to take mails.
    #[arg(long, default_value = "127.0.0.1:1025")]
    smtp: SocketAddr,
    /// Where to serve the page to read them on.
    #[arg(long, default_value = "127.0.0.1:8025")]
    page: SocketAddr,
    /// Where to keep them: each is a file there.
    #[arg(long, default_value = "mails")]
    folder: PathBuf,
    /// A regular expression of the mailboxes to take mails for; others are refused.
    #[arg(long)]
    only: Option<Regex>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let _lines = super::log_lines();
    let Arguments { smtp, page, folder, only } = arguments;
    mail::serve(mail::ServiceSpec { smtp, page, folder, only }).await?;
    Ok(ExitCode::SUCCESS)
}
