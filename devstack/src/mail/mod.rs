//! A mail server for development and tests. It stores mails, forwards none, and shows them on a web page. It can reject mailboxes,
//! as real servers do.
//!
//! It uses the crate `mailin` for SMTP and `mail-parser` for MIME. Each mail is an `.eml` file, which mail clients can open.

mod page;
mod process;
mod serve;
mod smtp;
mod store;

pub use process::{Access, MailProcess, NOTIFICATION, TEST_MAILBOXES, to};
pub use serve::{MailConfig, serve};
