//! Receives mails by SMTP.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use mailin::response::{INTERNAL_ERROR, NO_MAILBOX, NO_STORAGE, OK};
use mailin::{Action, Handler, Response, SessionBuilder};
use regex::Regex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::store::Store;

/// The maximum size of a mail in bytes.
const MAX_MAIL: usize = 25 << 20;
/// The maximum length of a line in bytes. The lines of a mail have at most 1,000.
const MAX_LINE: u64 = 64 << 10;
/// How long a client may send nothing.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);

pub(crate) type Shared = Arc<Mutex<Store>>;

/// Receives mails until the process ends. Mailboxes that do not match `only` are rejected.
pub(crate) async fn serve(listener: TcpListener, store: Shared, only: Option<Regex>) -> Result<()> {
    loop {
        let (stream, from) = listener.accept().await?;
        let envelope = Envelope::new(store.clone(), only.clone());
        tokio::spawn(async move {
            if let Err(error) = run_session(stream, from.ip(), envelope).await {
                tracing::debug!(%error, "a client has disconnected");
            }
        });
    }
}

async fn run_session(stream: TcpStream, from: IpAddr, envelope: Envelope) -> io::Result<()> {
    let mut session = SessionBuilder::new("mart").build(from, envelope);
    let mut stream = BufReader::new(stream);
    let mut reply = session.greeting();
    let mut line = Vec::new();
    loop {
        if reply.action != Action::NoReply {
            stream.write_all(&reply.buffer()?).await?;
            stream.flush().await?;
        }
        // After a rejected mail, mailin 0.6 still expects text and would treat the next command as such (see
        // findings/mailin-refused-mail.sh). So the connection is closed.
        if reply.action == Action::Close || [NO_STORAGE.code, INTERNAL_ERROR.code].contains(&reply.code) {
            return Ok(());
        }
        line.clear();
        let mut limited = (&mut stream).take(MAX_LINE);
        if tokio::time::timeout(IDLE_TIMEOUT, limited.read_until(b'\n', &mut line)).await?? == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long or incomplete"));
        }
        reply = session.process(&line);
    }
}

struct Envelope {
    store: Shared,
    only: Option<Regex>,
    from: String,
    to: Vec<String>,
    text: Vec<u8>,
    too_large: bool,
}

impl Envelope {
    fn new(store: Shared, only: Option<Regex>) -> Self {
        Self { store, only, from: String::new(), to: Vec::new(), text: Vec::new(), too_large: false }
    }
}

impl Handler for Envelope {
    fn rcpt(&mut self, to: &str) -> Response {
        if self.only.as_ref().is_none_or(|only| only.is_match(to)) { OK } else { NO_MAILBOX }
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, to: &[String]) -> Response {
        (self.from, self.to, self.text, self.too_large) = (from.to_owned(), to.to_vec(), Vec::new(), false);
        OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        // The error is returned at the end of the mail, because mailin would treat the remaining text as commands.
        self.too_large |= self.text.len() + line.len() > MAX_MAIL;
        if !self.too_large {
            self.text.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        if self.too_large {
            return NO_STORAGE;
        }
        let stored = self.store.lock().unwrap_or_else(PoisonError::into_inner).add(&self.from, &self.to, &self.text);
        match stored {
            Ok(()) => OK,
            Err(error) => {
                tracing::error!(%error, "cannot store a mail");
                INTERNAL_ERROR
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends lines to a server. Returns its replies and the stored mails.
    async fn send(name: &str, only: Option<&str>, lines: &str) -> (String, Vec<String>) {
        let folder = std::env::temp_dir().join(format!("mart-smtp-{name}-{}", std::process::id()));
        let store = Arc::new(Mutex::new(Store::open(&folder).expect("opened")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let only = only.map(|only| Regex::new(only).expect("an expression"));
        let serving = tokio::spawn(serve(listener, store.clone(), only));
        let mut client = TcpStream::connect(address).await.expect("connected");
        client.write_all(lines.replace('\n', "\r\n").as_bytes()).await.expect("sent");
        let mut replies = String::new();
        client.read_to_string(&mut replies).await.expect("a closed connection");
        serving.abort();
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = store.newest(None).map(|mail| format!("{:?} {}", mail.to, mail.text)).collect();
        std::fs::remove_dir_all(&folder).expect("removed");
        (replies, stored)
    }

    #[tokio::test]
    async fn a_leading_dot_is_unescaped() {
        let lines = "EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@x>\nDATA\nSubject: s\n\n..one\ntwo\n.\nQUIT\n";
        let (replies, stored) = send("dots", None, lines).await;
        assert_eq!(stored, ["[\"a@x\"] .one\r\ntwo\r\n"], "{replies}");
    }

    #[tokio::test]
    async fn the_session_continues_after_a_rejected_mailbox() {
        let lines = "EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@refused.example>\nRSET\n\
            MAIL FROM:<s@x>\nRCPT TO:<a@mart.example>\nDATA\nSubject: s\n\nit\n.\nQUIT\n";
        let (replies, stored) = send("rejected", Some("@mart\\.example$"), lines).await;
        assert!(replies.contains("\r\n550 "), "{replies}");
        assert_eq!(stored, ["[\"a@mart.example\"] it\r\n"]);
    }

    #[tokio::test]
    async fn a_mail_that_is_too_large_is_rejected() {
        let line = format!("{}\n", "x".repeat(60_000));
        let large =
            format!("EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@x>\nDATA\n{}.\nQUIT\n", line.repeat(MAX_MAIL / 60_000 + 2));
        let (replies, stored) = send("large", None, &large).await;
        assert!(stored.is_empty() && replies.contains("\r\n552 "), "{replies}");
    }
}
