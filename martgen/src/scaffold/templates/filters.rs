//! The filters of scaffold templates.

#![allow(
    clippy::unnecessary_wraps,
    clippy::inline_always,
    clippy::unused_self,
    unreachable_pub,
    reason = "askama generates this code, and its filters return a Result"
)]

use askama::{Result, Values};

/// Capitalizes the first letter.
#[askama::filter_fn]
pub(super) fn capital(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
    let text = text.to_string();
    let mut rest = text.chars();
    Ok(rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default())
}

/// Formats a text as a Rust doc comment.
#[askama::filter_fn]
pub(super) fn doc(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
    Ok(crate::render::doc(&text.to_string()))
}

/// Formats a text as a part of an identifier.
#[askama::filter_fn]
pub(super) fn ident(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
    Ok(text.to_string().replace(' ', "_"))
}
