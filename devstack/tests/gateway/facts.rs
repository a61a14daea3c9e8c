//! The recorded facts about Kong in `kong/facts.yml`.

use std::collections::BTreeMap;

use devstack::root;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub(crate) files: Vec<File>,
    pub(crate) refused: Vec<RejectedChange>,
}

/// A declarative file, and the facts about a gateway that serves it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(rename = "file")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) text: Option<String>,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    #[serde(rename = "fact")]
    pub(crate) name: String,
    pub(crate) request: String,
    #[serde(default, rename = "as")]
    pub(crate) token: Option<String>,
    #[serde(default)]
    pub(crate) headers: Option<Headers>,
    #[serde(default)]
    pub(crate) bytes: Option<usize>,
    #[serde(default)]
    pub(crate) chunked: bool,
    #[serde(default)]
    pub(crate) times: Option<usize>,
    pub(crate) answer: u16,
    #[serde(default)]
    pub(crate) echoes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) silent: Vec<String>,
    #[serde(default)]
    pub(crate) body: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) reaches: Option<Reached>,
    /// The fact is from Kong's documentation and was not observed.
    #[serde(default)]
    #[expect(dead_code, reason = "information for the file's readers")]
    pub(crate) unseen: bool,
}

/// The headers to send. Each is a map of its own, so that a name can occur twice.
pub(crate) type Headers = Vec<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reached {
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) query: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectedChange {
    pub(crate) change: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) named: String,
}

pub(crate) fn facts() -> Facts {
    let text = std::fs::read_to_string(root().join("kong/facts.yml")).expect("the facts");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("kong/facts.yml: {error}"))
}
