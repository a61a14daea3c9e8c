//! Rules for names of services. A name becomes part of crates, a database, roles, a topic and paths.

use heck::ToSnakeCase;

use crate::contract::names;
use crate::failure::Failure;
use crate::tree::Tree;

/// Names with another meaning: crates of Rust, folders and packages of the mart, databases of PostgreSQL.
const RESERVED: &[&str] = &[
    "alloc",
    "bench",
    "chassis",
    "core",
    "devstack",
    "features",
    "google",
    "kernel",
    "mart",
    "martgen",
    "options",
    "postgres",
    "proc_macro",
    "proto",
    "public",
    "shelf",
    "std",
    "template0",
    "template1",
    "test",
    "tests",
    "type",
];

/// The maximum length. The name of a PostgreSQL role, which has a suffix, is limited to 63 bytes.
const MAX_LENGTH: usize = 40;

/// Rejects an invalid name and suggests a valid one.
pub(crate) fn check(tree: &Tree, name: &str) -> anyhow::Result<()> {
    ensure_form(name)?;
    ensure_free(tree, name)
}

/// Suggests a name of a valid form.
fn suggestion(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let snake = plain.trim().to_snake_case();
    let trimmed = snake.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    let short: String = trimmed.chars().take(MAX_LENGTH).collect();
    match short.trim_end_matches('_') {
        "" => "try review".to_owned(),
        short => format!("try {short}"),
    }
}

/// Rejects a name that is not made of words in lower case, separated by underscores.
fn ensure_form(name: &str) -> anyhow::Result<()> {
    let refuse = |what: String| Err(Failure::usage(what, suggestion(name)));
    if name.trim().is_empty() {
        return refuse("a service needs a name".to_owned());
    }
    if name.contains(['/', '\\']) || name.contains("..") {
        let shown: String = name.chars().take(MAX_LENGTH).collect();
        return refuse(format!("`{shown}` is a path, not a name"));
    }
    if name.chars().count() > MAX_LENGTH {
        let length = name.chars().count();
        return refuse(format!("a name of {length} characters is too long: {MAX_LENGTH} are allowed"));
    }
    if name.contains(char::is_whitespace) {
        return refuse(format!("the name `{name}` has white space"));
    }
    if name.contains('-') {
        let what = format!(
            "the name `{name}` has a hyphen, which is invalid in a Rust module and in an unquoted database name"
        );
        return refuse(what);
    }
    if name.chars().any(char::is_uppercase) {
        return refuse(format!("the name `{name}` has upper-case letters"));
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return refuse(format!("the name `{name}` begins with a digit"));
    }
    if let Some(invalid) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')) {
        return refuse(format!(
            "the name `{name}` has `{invalid}`: only lower-case letters, digits and `_` are allowed"
        ));
    }
    if name.starts_with('_') || name.ends_with('_') || name.contains("__") {
        return refuse(format!("the name `{name}` has an underscore that does not separate two words"));
    }
    Ok(())
}

/// Rejects a name that has another meaning already.
fn ensure_free(tree: &Tree, name: &str) -> anyhow::Result<()> {
    let refuse = |what: String, help: String| Err(Failure::usage(what, help));
    if names::snake(name) != name {
        // The name is a keyword, or its form in Rust differs from it.
        let what = if names::snake(name).starts_with("r#") || ["super", "self", "crate", "extern"].contains(&name) {
            format!("`{name}` is a keyword of Rust")
        } else {
            format!("`{name}` would be called `{}` in Rust", names::snake(name))
        };
        return refuse(what, format!("try {name}_desk, or the term that your customers use"));
    }
    if RESERVED.contains(&name) || tree.settings.package == name {
        return refuse(
            format!("`{name}` is reserved: the mart, Rust or PostgreSQL uses this name"),
            format!("try {name}_desk"),
        );
    }
    // Only direct dependencies of the workspace conflict with the name.
    let manifest = tree.read("Cargo.toml")?.unwrap_or_default();
    let named: toml::Table = toml::from_str(&manifest).unwrap_or_default();
    let named = named.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    if named.is_some_and(|named| named.get(name).is_some() || named.get(name.replace('_', "-")).is_some()) {
        return refuse(format!("`{name}` is the name of a crate in use"), format!("try {name}_desk"));
    }
    Ok(())
}
