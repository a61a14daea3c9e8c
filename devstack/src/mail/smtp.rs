//! Takes mails by SMTP.

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

/// The largest mail, in bytes.
const LARGEST: usize = 25 << 20;
/// The longest line, in bytes: those of a mail have 1,000 at most.
const LONGEST_LINE: u64 = 64 << 10;
/// How long a client may say nothing.
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) type Shared = Arc<Mutex<Store>>;

/// Takes mails until the process ends. Other mailboxes than those that match `only` are refused.
pub(crate) async fn serve(listener: TcpListener, store: Shared, only: Option<Regex>) -> Result<()> {
    loop {
        let (stream, from) = listener.accept().await?;
        let envelope = Envelope::new(store.clone(), only.clone());
        tokio::spawn(async move {
            if let Err(error) = talk(stream, from.ip(), envelope).await {
                tracing::debug!(%error, "a client went away");
            }
        });
    }
}

async fn talk(stream: TcpStream, from: IpAddr, envelope: Envelope) -> io::Result<()> {
    let mut session = SessionBuilder::new("mart").build(from, envelope);
    let mut stream = BufReader::new(stream);
    let mut answer = session.greeting();
    let mut line = Vec::new();
    loop {
        if answer.action != Action::NoReply {
            stream.write_all(&answer.buffer()?).await?;
            stream.flush().await?;
        }
        // mailin 0.6 stays within a mail that it has refused, and would take the next command for its text.
        if answer.action == Action::Close || [NO_STORAGE.code, INTERNAL_ERROR.code].contains(&answer.code) {
            return Ok(());
        }
        line.clear();
        let mut limited = (&mut stream).take(LONGEST_LINE);
        if tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await?? == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
        }
        answer = session.process(&line);
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
        // The client is told at the end: mailin would take what is left for commands.
        self.too_large |= self.text.len() + line.len() > LARGEST;
        if !self.too_large {
            self.text.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        if self.too_large {
            return NO_STORAGE;
        }
        let kept = self.store.lock().unwrap_or_else(PoisonError::into_inner).keep(&self.from, &self.to, &self.text);
        match kept {
            Ok(()) => OK,
            Err(error) => {
                tracing::error!(%error, "a mail could not be kept");
                INTERNAL_ERROR
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server answers to these lines, and what it has kept.
    async fn told(name: &str, only: Option<&str>, lines: &str) -> (String, Vec<String>) {
        let folder = std::env::temp_dir().join(format!("mart-smtp-{name}-{}", std::process::id()));
        let store = Arc::new(Mutex::new(Store::open(&folder).expect("opened")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let only = only.map(|only| Regex::new(only).expect("an expression"));
        let serving = tokio::spawn(serve(listener, store.clone(), only));
        let mut client = TcpStream::connect(address).await.expect("connected");
        client.write_all(lines.replace('\n', "\r\n").as_bytes()).await.expect("sent");
        let mut answers = String::new();
        client.read_to_string(&mut answers).await.expect("answered to the end");
        serving.abort();
        let store = store.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = store.newest(None).map(|mail| format!("{:?} {}", mail.to, mail.text)).collect();
        std::fs::remove_dir_all(&folder).expect("removed");
        (answers, kept)
    }

    #[tokio::test]
    async fn a_line_that_begins_with_a_dot_is_kept_as_it_was_meant() {
        let lines = "EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@x>\nDATA\nSubject: s\n\n..one\ntwo\n.\nQUIT\n";
        let (answers, kept) = told("dots", None, lines).await;
        assert_eq!(kept, ["[\"a@x\"] .one\r\ntwo\r\n"], "{answers}");
    }

    #[tokio::test]
    async fn a_mailbox_that_is_not_wanted_is_refused_and_the_next_mail_is_taken() {
        let lines = "EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@refused.example>\nRSET\n\
            MAIL FROM:<s@x>\nRCPT TO:<a@mart.example>\nDATA\nSubject: s\n\nit\n.\nQUIT\n";
        let (answers, kept) = told("refused", Some("@mart\\.example$"), lines).await;
        assert!(answers.contains("\r\n550 "), "{answers}");
        assert_eq!(kept, ["[\"a@mart.example\"] it\r\n"]);
    }

    #[tokio::test]
    async fn a_mail_that_is_too_large_is_not_kept() {
        let line = format!("{}\n", "x".repeat(60_000));
        let large =
            format!("EHLO x\nMAIL FROM:<s@x>\nRCPT TO:<a@x>\nDATA\n{}.\nQUIT\n", line.repeat(LARGEST / 60_000 + 2));
        let (answers, kept) = told("large", None, &large).await;
        assert!(kept.is_empty() && answers.contains("\r\n552 "), "{answers}");
    }
}
