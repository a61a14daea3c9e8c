//! A mail server that keeps what it gets and sends nothing on, with a page to read it on. It can refuse mailboxes, as real servers
//! do. For one developer's machine and for tests.
//!
//! SMTP is the crate `mailin`'s, and MIME is `mail-parser`'s. Each mail is a file `.eml` that any mail client opens.

mod page;
mod process;
mod serve;
mod smtp;
mod store;

pub use process::{Access, NOTIFICATION, OF_TESTS, Running, to};
pub use serve::{ServiceSpec, serve};
