//! Sends mails over SMTP.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use notification_core::domain::{NotificationId, RenderedMessage};
use notification_core::ports::{MessageSender, SendError};

/// The number of characters of a server's response that are stored.
const MOST_SAID: usize = 300;

/// A mail server. Each mail uses its own connection, because one that timed out within a mail must not send another.
#[derive(Debug, Clone)]
pub struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Smtp {
    /// Creates a sender for the server at a URL such as `smtps://user:password@mail.example`. `from` is the sender of mails,
    /// `timeout` the time limit for one mail. The error does not contain the URL, which has a password.
    pub fn new(url: &str, from: &str, timeout: Duration) -> anyhow::Result<Self> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).ok().context("SMTP_URL is invalid")?;
        Ok(Self {
            server: server.timeout(Some(timeout)).build(),
            from: from.parse().context("MAIL_FROM is invalid")?,
            timeout,
        })
    }

    /// Returns whether a URL is that of a mail server.
    pub(crate) fn is_server(url: &str) -> bool {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url).is_ok()
    }

    /// Returns whether a text is a mailbox, such as `Mart <mart@mart.example>`.
    pub(crate) fn is_mailbox(text: &str) -> bool {
        text.parse::<Mailbox>().is_ok()
    }

    fn message(
        &self,
        id: NotificationId,
        to: Address,
        letter: &RenderedMessage,
    ) -> Result<Message, lettre::error::Error> {
        // Who automatically answers mails does not answer these (RFC 3834).
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .message_id(Some(format!("<{}@{}>", id.0, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.title.clone())
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
    }
}

#[async_trait]
impl MessageSender for Smtp {
    async fn send(&self, id: NotificationId, recipient: &str, letter: &RenderedMessage) -> Result<String, SendError> {
        let to = recipient.parse().map_err(|_| SendError::Rejected("the mailbox is none".to_owned()))?;
        let message = self.message(id, to, letter).map_err(|error| SendError::Rejected(error.to_string()))?;
        // The transport's own limit is that of connecting: one that takes the connection and then says nothing has none.
        let sent = tokio::time::timeout(self.timeout, self.server.send(message)).await;
        let answer = sent.map_err(|_| SendError::Unavailable("it did not answer in time".to_owned()))?;
        let answer = answer.map_err(|error| refusal(&error))?;
        Ok(short(&answer.message().collect::<Vec<_>>().join(" ")))
    }
}

/// Whether a server will ever take it. What it says of itself - it speaks no such command, wants another password, is no mail
/// server (RFC 5321 4.2.3, RFC 4954) - an operator mends, so that it is tried again.
fn refusal(error: &lettre::transport::smtp::Error) -> SendError {
    let said = short(&error.to_string());
    let of_the_server = [500, 501, 502, 503, 504, 521, 530, 534, 535, 538];
    let code = error.status().map(u16::from);
    match code {
        Some(code) if error.is_permanent() && !of_the_server.contains(&code) => SendError::Rejected(said),
        _ => {
            tracing::warn!(said, "the mail server did not take a letter; it is tried again");
            SendError::Unavailable(said)
        }
    }
}

fn short(said: &str) -> String {
    said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST_SAID).collect()
}
