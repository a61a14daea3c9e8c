//! Which names a service may have: it becomes crates, a database, a role, a topic and a part of paths.

use heck::ToSnakeCase;

use crate::contract::names;
use crate::failure::Failure;
use crate::tree::Tree;

/// Names that mean something else: crates of Rust's own, folders and packages of the mart, databases of PostgreSQL.
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

/// The longest name: a role of PostgreSQL and its suffix fit into 63 bytes, and people can still say it.
const LONGEST: usize = 40;

/// Refuses a name that can't be one, and suggests one that can.
pub(crate) fn check(tree: &Tree, name: &str) -> anyhow::Result<()> {
    let refuse = |what: String, help: String| Err(Failure::usage(what, help));
    let suggestion = || {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
        let snake = plain.trim().to_snake_case();
        let trimmed = snake.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        let short: String = trimmed.chars().take(LONGEST).collect();
        match short.trim_end_matches('_') {
            "" => "try review".to_owned(),
            short => format!("try {short}"),
        }
    };
    if name.trim().is_empty() {
        return refuse("a service needs a name".to_owned(), "try review".to_owned());
    }
    if name.contains(['/', '\\']) || name.contains("..") {
        let shown: String = name.chars().take(LONGEST).collect();
        return refuse(format!("`{shown}` is a path, and a service has a name"), suggestion());
    }
    if name.chars().count() > LONGEST {
        let length = name.chars().count();
        return refuse(format!("a name of {length} characters is too long: {LONGEST} are allowed"), suggestion());
    }
    if name.contains(char::is_whitespace) {
        return refuse(format!("the name `{name}` has white space"), suggestion());
    }
    if name.contains('-') {
        let what =
            format!("the name `{name}` has a hyphen, which no module of Rust and no database without quotes has");
        return refuse(what, suggestion());
    }
    if name.chars().any(char::is_uppercase) {
        return refuse(format!("the name `{name}` has capital letters"), suggestion());
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return refuse(format!("the name `{name}` begins with a digit"), suggestion());
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')) {
        return refuse(
            format!("the name `{name}` has `{odd}`: small letters, digits and `_` are allowed"),
            suggestion(),
        );
    }
    if name.starts_with('_') || name.ends_with('_') || name.contains("__") {
        return refuse(format!("in the name `{name}` an underscore does not part two words"), suggestion());
    }
    if names::snake(name) != name {
        // `a1_b` is a name; a keyword is not, and neither is what reads otherwise in the end.
        let what = if names::snake(name).starts_with("r#") || ["super", "self", "crate", "extern"].contains(&name) {
            format!("`{name}` is a keyword of Rust")
        } else {
            format!("`{name}` would be called `{}` in Rust", names::snake(name))
        };
        return refuse(what, format!("try {name}_desk, or the word that your customers use"));
    }
    if RESERVED.contains(&name) || tree.settings.package == name {
        return refuse(
            format!("`{name}` is reserved: the mart or Rust has something of this name"),
            format!("try {name}_desk"),
        );
    }
    // A crate that only others depend on is in nobody's way.
    let manifest = tree.read("Cargo.toml")?.unwrap_or_default();
    let named: toml::Table = toml::from_str(&manifest).unwrap_or_default();
    let named = named.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    if named.is_some_and(|named| named.get(name).is_some() || named.get(name.replace('_', "-")).is_some()) {
        return refuse(format!("`{name}` is the name of a crate in use"), format!("try {name}_desk"));
    }
    Ok(())
}
