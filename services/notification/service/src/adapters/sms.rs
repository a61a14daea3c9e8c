//! Letters to phones: by Twilio, or into the mail catcher where nobody shall get any.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use notification_core::domain::{Letter, NotificationId};
use notification_core::ports::{Courier, SendError};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

/// How long Twilio may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Twilio's Messages endpoint, version 2010-04-01: a form of `To`, `From` and `Body` with basic authentication.
#[derive(Clone)]
pub struct Twilio {
    client: Client,
    messages: Url,
    account: String,
    token: String,
    from: String,
}

/// What Twilio answers: an id, or a code and a message.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    sid: String,
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

impl Twilio {
    /// Twilio at this address, by an account with its token; messages come from the number `from`.
    pub fn new(url: &str, account: &str, token: &str, from: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build().context("no HTTP client")?;
        let messages = format!("{}/2010-04-01/Accounts/{account}/Messages.json", url.trim_end_matches('/'));
        let messages = messages.parse().with_context(|| format!("TWILIO_URL={url:?}: expected a URL"))?;
        Ok(Self { client, messages, account: account.to_owned(), token: token.to_owned(), from: from.to_owned() })
    }
}

#[async_trait]
impl Courier for Twilio {
    async fn send(&self, _id: NotificationId, recipient: &str, letter: &Letter) -> Result<String, SendError> {
        let form = [("To", recipient), ("From", &self.from), ("Body", &letter.text)];
        let asked = self.client.post(self.messages.clone()).basic_auth(&self.account, Some(&self.token)).form(&form);
        // Neither the address nor the body of a request is in what is kept.
        let away = |error: reqwest::Error| SendError::Later(error.without_url().to_string());
        let answer = asked.send().await.map_err(away)?;
        let (status, said) = (answer.status(), answer.bytes().await.map_err(away)?);
        let said =
            serde_json::from_slice(&said).unwrap_or(Said { sid: String::new(), code: 0, message: String::new() });
        if status.is_success() && !said.sid.is_empty() {
            return Ok(said.sid);
        }
        let message: String = said.message.chars().filter(|letter| !letter.is_control()).take(300).collect();
        let why = format!("{status}, code {}: {message}", said.code);
        match status {
            // What is wrong with this message stays wrong.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(SendError::Refused(why))
            }
            // Too many, an account that an operator has to mend, or Twilio itself.
            _ => {
                tracing::warn!(why, "Twilio did not take a message; it is tried again");
                Err(SendError::Later(why))
            }
        }
    }
}

/// Has whoever carries mails put messages to phones into the mailbox `<digits>@sms.mart.example`, for a developer's mail catcher.
pub struct Sandbox(pub Arc<dyn Courier>);

#[async_trait]
impl Courier for Sandbox {
    async fn send(&self, id: NotificationId, recipient: &str, letter: &Letter) -> Result<String, SendError> {
        let mailbox = format!("{}@sms.mart.example", recipient.trim_start_matches('+'));
        let letter = Letter { title: format!("SMS to {recipient}"), ..letter.clone() };
        self.0.send(id, &mailbox, &letter).await
    }
}
