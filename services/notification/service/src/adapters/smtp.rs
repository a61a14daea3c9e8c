//! Letters over SMTP.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use notification_core::domain::{Letter, NotificationId};
use notification_core::ports::{Courier, SendError};

/// How much of what a server says is kept.
const MOST_SAID: usize = 300;

/// A mail server. Every letter has a connection of its own: one that was given up in the middle of a letter must not carry another.
#[derive(Debug, Clone)]
pub struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Smtp {
    /// The server at a URL such as `smtps://user:password@mail.example`; `from` is whom letters come from, and
    /// `timeout` is how long it may take for a letter.
    pub fn new(url: &str, from: &str, timeout: Duration) -> anyhow::Result<Self> {
        let expected = "such as smtps://user:password@mail.example, or smtp://mail.example:587?tls=required";
        // The URL has a password in it, so that no error may show it.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).ok();
        let server = server.with_context(|| format!("SMTP_URL: expected the URL of a mail server, {expected}"))?;
        let from = from
            .parse()
            .with_context(|| format!("MAIL_FROM={from:?}: expected a mailbox, such as Mart <mart@mart.example>"))?;
        Ok(Self { server: server.timeout(Some(timeout)).build(), from, timeout })
    }

    fn message(&self, id: NotificationId, to: Address, letter: &Letter) -> Result<Message, lettre::error::Error> {
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
impl Courier for Smtp {
    async fn send(&self, id: NotificationId, recipient: &str, letter: &Letter) -> Result<String, SendError> {
        let to = recipient.parse().map_err(|_| SendError::Refused("the mailbox is none".to_owned()))?;
        let message = self.message(id, to, letter).map_err(|error| SendError::Refused(error.to_string()))?;
        // The transport's own limit is that of connecting: one that takes the connection and then says nothing has none.
        let sent = tokio::time::timeout(self.timeout, self.server.send(message)).await;
        let answer = sent.map_err(|_| SendError::Later("it did not answer in time".to_owned()))?;
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
        Some(code) if error.is_permanent() && !of_the_server.contains(&code) => SendError::Refused(said),
        _ => {
            tracing::warn!(said, "the mail server did not take a letter; it is tried again");
            SendError::Later(said)
        }
    }
}

fn short(said: &str) -> String {
    said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST_SAID).collect()
}
