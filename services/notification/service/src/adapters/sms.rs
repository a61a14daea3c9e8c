//! MessageRenderer to phones: by Twilio, or into the mail catcher where nobody shall get any.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use notification_core::domain::{NotificationId, RenderedMessage};
use notification_core::ports::{MessageSender, SendError};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;

/// Codes of what stays wrong with one message (twilio.com/docs/api/errors): a number that is none, is a short code or a landline, or
/// whose owner wants no messages; a text that is too long. Twilio adds to its codes, so that what is not here is tried again.
const OF_THE_MESSAGE: [u32; 8] = [21211, 21214, 21217, 21265, 21610, 21614, 21617, 21635];

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
    /// Twilio at this address, by an account with its token; messages come from the number `from`. `timeout` is how long it
    /// may take for a message.
    pub fn new(url: &str, account: &str, token: &str, from: &str, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build().context("no HTTP client")?;
        let messages = format!("{}/2010-04-01/Accounts/{account}/Messages.json", url.trim_end_matches('/'));
        let messages = messages.parse().with_context(|| format!("TWILIO_URL={url:?}: expected a URL"))?;
        Ok(Self { client, messages, account: account.to_owned(), token: token.to_owned(), from: from.to_owned() })
    }
}

#[async_trait]
impl MessageSender for Twilio {
    async fn send(&self, _id: NotificationId, recipient: &str, letter: &RenderedMessage) -> Result<String, SendError> {
        let form = [("To", recipient), ("From", &self.from), ("Body", &letter.text)];
        let asked = self.client.post(self.messages.clone()).basic_auth(&self.account, Some(&self.token)).form(&form);
        // Neither the address nor the body of a request is in what is kept.
        let away = |error: reqwest::Error| SendError::Unavailable(error.without_url().to_string());
        let answer = asked.send().await.map_err(away)?;
        let (status, said) = (answer.status(), answer.bytes().await.map_err(away)?);
        let said =
            serde_json::from_slice(&said).unwrap_or(Said { sid: String::new(), code: 0, message: String::new() });
        if status.is_success() && !said.sid.is_empty() {
            return Ok(said.sid);
        }
        let message: String = said.message.chars().filter(|letter| !letter.is_control()).take(300).collect();
        let why = format!("{status}, code {}: {message}", said.code);
        if OF_THE_MESSAGE.contains(&said.code) {
            return Err(SendError::Rejected(why));
        }
        // Too many, an account or a number that an operator has to mend, or Twilio itself.
        tracing::warn!(why, "Twilio did not take a message; it is tried again");
        Err(SendError::Unavailable(why))
    }
}

/// Has whoever carries mails put messages to phones into the mailbox `<digits>@sms.mart.example`, for a developer's mail catcher.
pub struct Sandbox(pub Arc<dyn MessageSender>);

#[async_trait]
impl MessageSender for Sandbox {
    async fn send(&self, id: NotificationId, recipient: &str, letter: &RenderedMessage) -> Result<String, SendError> {
        let mailbox = format!("{}@sms.mart.example", recipient.trim_start_matches('+'));
        let letter = RenderedMessage { title: format!("SMS to {recipient}"), ..letter.clone() };
        self.0.send(id, &mailbox, &letter).await
    }
}
