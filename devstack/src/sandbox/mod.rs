//! A provider of our own that takes no money: a hosted page with buttons, an API as a provider has one, and words that it
//! sends, signed. It can be told to be as unkind as the real ones are. For one developer's machine and for tests.

mod books;
mod page;
mod process;
mod serve;

pub use books::{Action, Books, Kind, Refused, Word, sign};
pub use process::{Access, PAYMENT, Running};
pub use serve::{Now, ServiceSpec, routes, serve};
