//! `./mart mail`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use devstack::mail;
use regex::Regex;

/// Serve a mail server that stores mails and forwards none, as ./mart up does.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address that receives mails by SMTP.
    #[arg(long, default_value = "127.0.0.1:1025")]
    smtp: SocketAddr,
    /// The address of the web page that shows the mails.
    #[arg(long, default_value = "127.0.0.1:8025")]
    page: SocketAddr,
    /// The folder to store the mails in, one file each.
    #[arg(long, default_value = "mails")]
    folder: PathBuf,
    /// Accept mails only for mailboxes that match this regular expression, and reject others.
    #[arg(long, value_name = "REGEX")]
    only: Option<Regex>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let _guard = super::log_to_stdout();
    let Arguments { smtp, page, folder, only } = arguments;
    mail::serve(mail::MailConfig { smtp, page, folder, only }).await?;
    Ok(ExitCode::SUCCESS)
}
