//! The mail server as a process, beside services that run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::Value;

use crate::process::Process;

/// The service that sends mails.
pub const NOTIFICATION: &str = "notification";
/// Mailboxes that a server of tests takes mails for; all others it refuses.
pub const OF_TESTS: &str = "@(sms\\.)?mart\\.example$|@example\\.com$";

/// Where the mail server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The port that takes mails.
    pub smtp: u16,
    /// The port of its page.
    pub page: u16,
}

impl Access {
    /// The address of its page.
    pub fn url(self) -> String {
        format!("http://127.0.0.1:{}", self.page)
    }

    /// What notification has to know.
    pub fn variables(self) -> [(String, String); 2] {
        // Nobody has built the shop that the links lead to.
        let shop = "http://shop.example".to_owned();
        [("SMTP_URL", format!("smtp://127.0.0.1:{}", self.smtp)), ("SHOP_URL", shop)]
            .map(|(name, value)| (name.to_owned(), value))
    }
}

/// A mail server that runs.
#[derive(Debug)]
pub struct Running {
    program: PathBuf,
    folder: PathBuf,
    only: Option<&'static str>,
    /// Where it is.
    pub access: Access,
    /// Its process.
    pub process: Process,
}

impl Running {
    /// Starts it with its mails in a folder: `program` is the devstack's own. It refuses other mailboxes than those that match `only`.
    pub async fn start(program: &Path, folder: &Path, access: Access, only: Option<&'static str>) -> Result<Self> {
        let process = launch(program, folder, access, only)?;
        let mut mail = Self { program: program.to_owned(), folder: folder.to_owned(), only, access, process };
        mail.until_ready().await?;
        Ok(mail)
    }

    /// Starts it again when it has ended; the mails are still there.
    pub async fn again(&mut self) -> Result<()> {
        self.process = launch(&self.program, &self.folder, self.access, self.only)?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> Result<()> {
        self.process.until_answers(&format!("{}/readyz", self.access.url())).await
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

/// The mails to a mailbox, the newest first: `messageId`, `subject`, `text` and `html` of each.
pub async fn to(page: &str, mailbox: &str) -> Result<Vec<Value>> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", mailbox).finish();
    let answer = crate::http::client()
        .get(format!("{page}/api/mails?{query}"))
        .send()
        .await
        .context("the mail server does not answer")?;
    Ok(answer.error_for_status()?.json().await?)
}
