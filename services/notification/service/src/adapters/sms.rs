//! Sends text messages with Twilio, or as mails in a sandbox.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use notification_core::domain::{NotificationId, RenderedMessage};
use notification_core::ports::{MessageSender, SendError};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;

/// The number of characters of Twilio's error message that are stored.
const MAX_ERROR_CHARS: usize = 300;

/// The error codes about one message (twilio.com/docs/api/errors): an invalid number, a short code, a landline, a recipient who has
/// opted out, or a text that is too long. Twilio may add codes, so every other code is retried.
const MESSAGE_ERRORS: [u32; 8] = [21211, 21214, 21217, 21265, 21610, 21614, 21617, 21635];

/// Twilio's Messages endpoint, version 2010-04-01: a form of `To`, `From` and `Body` with basic authentication.
#[derive(Clone)]
pub struct Twilio {
    client: Client,
    messages: Url,
    account: String,
    token: String,
    from: String,
}

/// Twilio's response: an id, or an error's code and message.
#[derive(Deserialize, Default)]
struct TwilioResponse {
    #[serde(default)]
    sid: String,
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

impl Twilio {
    /// Creates a sender for the API at `url` with an account and its token. `from` is the sender's number, `timeout` the time limit
    /// for one message.
    pub fn new(url: &str, account: &str, token: &str, from: &str, timeout: Duration) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build().context("no HTTP client")?;
        let messages = format!("{}/2010-04-01/Accounts/{account}/Messages.json", url.trim_end_matches('/'));
        let messages = messages.parse().with_context(|| format!("TWILIO_URL={url:?}: expected a URL"))?;
        Ok(Self { client, messages, account: account.to_owned(), token: token.to_owned(), from: from.to_owned() })
    }
}

#[async_trait]
impl MessageSender for Twilio {
    async fn send(&self, _id: NotificationId, recipient: &str, message: &RenderedMessage) -> Result<String, SendError> {
        let form = [("To", recipient), ("From", &self.from), ("Body", &message.text)];
        let request = self.client.post(self.messages.clone()).basic_auth(&self.account, Some(&self.token)).form(&form);
        // The stored error contains neither the URL nor the body of the request.
        let unavailable = |error: reqwest::Error| SendError::Unavailable(error.without_url().to_string());
        let response = request.send().await.map_err(unavailable)?;
        let (status, body) = (response.status(), response.bytes().await.map_err(unavailable)?);
        let response: TwilioResponse = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() && !response.sid.is_empty() {
            return Ok(response.sid);
        }
        let message: String =
            response.message.chars().filter(|char| !char.is_control()).take(MAX_ERROR_CHARS).collect();
        let failure = format!("{status}, code {}: {message}", response.code);
        if MESSAGE_ERRORS.contains(&response.code) {
            return Err(SendError::Rejected(failure));
        }
        // A rate limit, an error of Twilio, or an account or a sender's number that an operator has to fix.
        tracing::warn!(failure, "a text message was not sent and will be retried");
        Err(SendError::Unavailable(failure))
    }
}

/// A sender for development. It sends text messages as mails to `<digits>@sms.mart.example`.
pub struct Sandbox(pub Arc<dyn MessageSender>);

#[async_trait]
impl MessageSender for Sandbox {
    async fn send(&self, id: NotificationId, recipient: &str, message: &RenderedMessage) -> Result<String, SendError> {
        let mailbox = format!("{}@sms.mart.example", recipient.trim_start_matches('+'));
        let mail = RenderedMessage { title: format!("SMS to {recipient}"), ..message.clone() };
        self.0.send(id, &mailbox, &mail).await
    }
}
