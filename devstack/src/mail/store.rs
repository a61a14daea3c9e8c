//! Stores mails in a folder, one file each.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use mail_parser::{MessageParser, MimeHeaders};
use serde::Serialize;

/// The maximum number of stored mails. The oldest are deleted first.
const MAX_MAILS: usize = 5_000;

/// A parsed mail.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mail {
    /// The number of the mail in its folder, from 1.
    pub(crate) id: u64,
    /// The header `Message-ID` without its angle brackets.
    pub(crate) message_id: String,
    pub(crate) subject: String,
    /// The envelope's sender.
    pub(crate) from: String,
    /// The envelope's recipients.
    pub(crate) to: Vec<String>,
    /// The header `Date` in the format of RFC 3339; empty if it is missing.
    pub(crate) date: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// The names of the attachments.
    pub(crate) attachments: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    mails: VecDeque<Arc<Mail>>,
    next: u64,
}

impl Store {
    /// Reads the mails of a folder. Creates the folder if it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(".eml")).and_then(|id| id.parse::<u64>().ok()));
        }
        ids.sort_unstable();
        let mut store = Self { folder: folder.to_owned(), mails: VecDeque::new(), next: 1 };
        for id in ids {
            store.mails.push_back(Arc::new(parse(id, &std::fs::read(store.file(id))?)));
            store.next = id + 1;
        }
        store.delete_oldest();
        Ok(store)
    }

    /// Stores a mail. Its file is written when this returns.
    pub(crate) fn add(&mut self, from: &str, to: &[String], text: &[u8]) -> Result<()> {
        let mut raw = format!("Return-Path: <{from}>\r\n");
        for mailbox in to {
            raw.push_str(&format!("Delivered-To: {mailbox}\r\n"));
        }
        let mut raw = raw.into_bytes();
        raw.extend_from_slice(text);
        let (id, fresh) = (self.next, self.folder.join("next"));
        std::fs::write(&fresh, &raw)?;
        std::fs::rename(fresh, self.file(id))?;
        self.next += 1;
        self.mails.push_back(Arc::new(parse(id, &raw)));
        self.delete_oldest();
        Ok(())
    }

    /// Returns the mails to a mailbox, or all mails with `None`, the newest first.
    pub(crate) fn newest<'a>(&'a self, mailbox: Option<&'a str>) -> impl Iterator<Item = &'a Arc<Mail>> {
        let wanted = move |mail: &&Arc<Mail>| {
            mailbox.is_none_or(|mailbox| mail.to.iter().any(|to| to.eq_ignore_ascii_case(mailbox)))
        };
        self.mails.iter().rev().filter(wanted)
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<Mail>> {
        self.mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// Returns a mail's source.
    pub(crate) fn source(&self, id: u64) -> Option<Vec<u8>> {
        std::fs::read(self.find(id).map(|mail| self.file(mail.id))?).ok()
    }

    fn file(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id:08}.eml"))
    }

    fn delete_oldest(&mut self) {
        while self.mails.len() > MAX_MAILS
            && let Some(oldest) = self.mails.pop_front()
        {
            if let Err(error) = std::fs::remove_file(self.file(oldest.id)) {
                tracing::warn!(%error, id = oldest.id, "cannot delete an old mail");
            }
        }
    }
}

/// Parses a stored mail.
fn parse(id: u64, raw: &[u8]) -> Mail {
    let message = MessageParser::default().parse(raw).unwrap_or_default();
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned).unwrap_or_default();
    let mut to = Vec::new();
    let mut from = String::new();
    // This server's own headers come first. Later ones of the same name are the sender's.
    for line in String::from_utf8_lossy(raw).lines() {
        if let Some(mailbox) = line.strip_prefix("Delivered-To: ") {
            to.push(mailbox.to_owned());
        } else if let Some(sender) = line.strip_prefix("Return-Path: ").filter(|_| to.is_empty()) {
            sender.trim_matches(['<', '>']).clone_into(&mut from);
        } else {
            break;
        }
    }
    Mail {
        id,
        message_id: message.message_id().unwrap_or_default().to_owned(),
        subject: message.subject().unwrap_or_default().to_owned(),
        from,
        to,
        date: message.date().map(mail_parser::DateTime::to_rfc3339).unwrap_or_default(),
        text: text(message.body_text(0)),
        html: if message.html_body_count() > 0 { text(message.body_html(0)) } else { String::new() },
        attachments: message
            .attachments()
            .map(|part| part.attachment_name().unwrap_or("without a name").to_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <a@b>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nplain\r\n\
        --x\r\nContent-Type: text/html\r\n\r\n<b>bold</b>\r\n--x--\r\n";

    #[test]
    fn mails_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("mart-mails-{}", std::process::id()));
        let mut store = Store::open(&folder).expect("opened");
        for to in ["a@mart.example", "B@mart.example"] {
            store.add("shop@mart.example", &[to.to_owned()], MAIL.as_bytes()).expect("stored");
        }
        let store = Store::open(&folder).expect("opened again");
        let newest: Vec<u64> = store.newest(None).map(|mail| mail.id).collect();
        let mail = store.newest(Some("b@mart.example")).next().expect("found in any case").clone();
        std::fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(newest, [2, 1]);
        assert_eq!((mail.subject.as_str(), mail.message_id.as_str()), ("Grüße", "a@b"));
        assert_eq!((mail.text.trim(), mail.html.trim()), ("plain", "<b>bold</b>"));
        assert_eq!(mail.from, "shop@mart.example");
    }

    #[test]
    fn a_sender_cannot_add_recipients_by_a_header() {
        let raw = "Return-Path: <s@x>\r\nDelivered-To: a@x\r\nSubject: s\r\nDelivered-To: b@x\r\n\r\n";
        assert_eq!(parse(1, raw.as_bytes()).to, ["a@x"]);
    }
}
