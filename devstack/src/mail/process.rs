//! The mail server as a process beside running services.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;

use crate::process::Process;

/// The name of the service that sends mails.
pub const NOTIFICATION: &str = "notification";
/// The regular expression of the mailboxes that tests accept; all others are rejected.
pub const TEST_MAILBOXES: &str = "@(sms\\.)?mart\\.example$|@example\\.com$";

/// The ports of the mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The port of SMTP.
    pub smtp: u16,
    /// The port of the web page.
    pub page: u16,
}

impl Access {
    /// Returns the base URL of the web page.
    pub fn url(self) -> String {
        format!("http://127.0.0.1:{}", self.page)
    }

    /// Returns the environment variables of the notification service.
    pub fn variables(self) -> [(String, String); 2] {
        // The links in mails lead to a shop that does not exist.
        let shop = "http://shop.example".to_owned();
        [("SMTP_URL", format!("smtp://127.0.0.1:{}", self.smtp)), ("SHOP_URL", shop)]
            .map(|(name, value)| (name.to_owned(), value))
    }
}

/// A running mail server.
#[derive(Debug)]
pub struct MailProcess {
    program: PathBuf,
    folder: PathBuf,
    only: Option<&'static str>,
    /// The server's ports.
    pub access: Access,
    /// The server's process.
    pub process: Process,
}

impl MailProcess {
    /// Starts a mail server with its mails in a folder. `program` is the devstack's own program. Mailboxes that do not match the
    /// regular expression `only` are rejected.
    pub async fn start(program: &Path, folder: &Path, access: Access, only: Option<&'static str>) -> Result<Self> {
        let process = launch(program, folder, access, only)?;
        let mut mail = Self { program: program.to_owned(), folder: folder.to_owned(), only, access, process };
        mail.wait_until_ready().await?;
        Ok(mail)
    }

    /// Starts the server again after its process has ended. It keeps its mails.
    pub async fn restart(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.folder, self.access, self.only)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        self.process.wait_until_available(&format!("{}/readyz", self.access.url())).await
    }
}

fn launch(program: &Path, folder: &Path, access: Access, only: Option<&str>) -> Result<Process> {
    let mut words = vec![
        program.display().to_string(),
        "mail".to_owned(),
        format!("--page=127.0.0.1:{}", access.page),
        format!("--smtp=127.0.0.1:{}", access.smtp),
        format!("--folder={}", folder.join("mails").display()),
    ];
    words.extend(only.map(|only| format!("--only={only}")));
    Process::start("mail", words, &[], &folder.join("log"), Signal::TERM)
}

/// Returns the mails to a mailbox, the newest first, each with `messageId`, `subject`, `text` and `html`.
pub async fn to(page: &str, mailbox: &str) -> Result<Vec<Value>> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", mailbox).finish();
    let response = crate::http::client()
        .get(format!("{page}/api/mails?{query}"))
        .send()
        .await
        .context("the mail server does not respond")?;
    Ok(response.error_for_status()?.json().await?)
}
