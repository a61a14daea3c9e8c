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
const MAX_RESPONSE_CHARS: usize = 300;

/// The sender of mails. Each mail uses its own connection, because a connection that timed out within a mail must not be reused.
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

    /// Returns whether a text is a valid URL of a mail server.
    pub(crate) fn is_server(url: &str) -> bool {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url).is_ok()
    }

    /// Returns whether a text is a mailbox, such as `Mart <mart@mart.example>`.
    pub(crate) fn is_mailbox(text: &str) -> bool {
        text.parse::<Mailbox>().is_ok()
    }

    fn mail(
        &self,
        id: NotificationId,
        to: Address,
        message: &RenderedMessage,
    ) -> Result<Message, lettre::error::Error> {
        // Automatic responders do not answer such a mail (RFC 3834).
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .message_id(Some(format!("<{}@{}>", id.0, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.title.clone())
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
    }
}

#[async_trait]
impl MessageSender for Smtp {
    async fn send(&self, id: NotificationId, recipient: &str, message: &RenderedMessage) -> Result<String, SendError> {
        let to = recipient.parse().map_err(|_| SendError::Rejected("invalid email address".to_owned()))?;
        let mail = self.mail(id, to, message).map_err(|error| SendError::Rejected(error.to_string()))?;
        // The transport's own timeout covers the connection only, not a server that accepts it and then sends nothing.
        let sent = tokio::time::timeout(self.timeout, self.server.send(mail)).await;
        let sent = sent.map_err(|_| SendError::Unavailable("the server did not respond in time".to_owned()))?;
        let response = sent.map_err(|error| send_error(&error))?;
        Ok(shorten(&response.message().collect::<Vec<_>>().join(" ")))
    }
}

/// Maps a failure to a rejection of this mail, or to a failure that is retried. Permanent codes about the server or our account,
/// such as an unknown command or a wrong password (RFC 5321 4.2.3, RFC 4954), are retried because an operator can fix their cause.
fn send_error(error: &lettre::transport::smtp::Error) -> SendError {
    let failure = shorten(&error.to_string());
    let about_the_server = [500, 501, 502, 503, 504, 521, 530, 534, 535, 538];
    let code = error.status().map(u16::from);
    match code {
        Some(code) if error.is_permanent() && !about_the_server.contains(&code) => SendError::Rejected(failure),
        _ => {
            tracing::warn!(failure, "a mail was not sent and will be retried");
            SendError::Unavailable(failure)
        }
    }
}

/// Replaces control characters by spaces and cuts the text to the stored length.
fn shorten(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_RESPONSE_CHARS).collect()
}
