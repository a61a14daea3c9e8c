//! What would break those who use an earlier state of the contracts: buf's rules, and ours over what only our options say.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor};
use serde::Deserialize;

use super::{Contracts, tell};
use crate::contract;
use crate::contract::model::{Auth, Mart, Operation, Service};
use crate::contract::rules;
use crate::contract::source::{Info, Sources};
use crate::failure::Failure;
use crate::finding::{Finding, Place};
use crate::tree::Tree;

const KEEP: &str = "keep what is used and add the new beside it, or change it where nobody uses it yet";

pub(super) fn run(tree: &Tree, reference: &str, json: bool) -> Result<u8> {
    let now = Contracts::read(tree)?;
    if now.broken() {
        return Ok(tell(&now.findings, &now.sources, json, true));
    }
    let sources = earlier(tree, reference)?;
    let pool = sources.compile(&tree.settings.package).map_err(|finding| {
        Failure::refused(
            format!("the contracts of {reference} don't compile: {}", finding.what),
            "name a commit where they do",
        )
    })?;
    let (before, _) = contract::model(tree, &sources, &pool);
    let mut findings = buf(tree, &now, &pool)?;
    findings.extend(ours(&before, &now));
    findings.extend(narrowed(&pool, &now));
    findings.sort_by(|a, b| (&a.place.file, a.place.line, &a.what).cmp(&(&b.place.file, b.place.line, &b.what)));
    findings.dedup();
    for finding in &mut findings {
        finding.help = format!("{KEEP}; affected: {}", affected(&finding.place.file, &before, &now.mart));
    }
    let code = tell(&findings, &now.sources, json, false);
    if findings.is_empty() && !json {
        anstream::println!("nothing breaks those who use the contracts of {reference}");
    }
    Ok(code)
}

/// The contracts as they were, read from git.
fn earlier(tree: &Tree, reference: &str) -> Result<Sources> {
    let git = |words: &[&str]| -> Result<String> {
        let done = Command::new("git").args(words).current_dir(&tree.root).stdin(Stdio::null()).output();
        let done = done.map_err(|error| Failure::refused(format!("git could not be run ({error})"), "install git"))?;
        if !done.status.success() {
            let told = String::from_utf8_lossy(&done.stderr);
            let what = format!("git knows no {reference} here: {}", told.lines().next().unwrap_or_default());
            return Err(Failure::usage(what, "name a commit, a branch or a tag that is in this clone"));
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let mut roots = vec!["proto".to_owned()];
    roots.extend(tree.settings.fixture.iter().map(|fixture| fixture.contracts.clone()));
    let mut texts = BTreeMap::new();
    for root in &roots {
        // A reference that looks like an option is none.
        let listed = git(&["ls-tree", "-r", "--name-only", "--end-of-options", reference, "--", root])?;
        for path in listed.lines().filter(|path| Path::new(path).extension().is_some_and(|ending| ending == "proto")) {
            let text = git(&["show", "--end-of-options", &format!("{reference}:./{path}")])?;
            texts.insert(path.to_owned(), text);
        }
    }
    Ok(Sources::of(&roots, texts))
}

#[derive(Deserialize)]
struct TestEvent {
    path: String,
    #[serde(default)]
    start_line: usize,
    r#type: String,
    message: String,
}

/// What `buf breaking` says of the messages and enums.
fn buf(tree: &Tree, now: &Contracts, before: &DescriptorPool) -> Result<Vec<Finding>> {
    let folder = std::env::temp_dir().join(format!("martgen-against-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (old, new) = (folder.join("old.binpb"), folder.join("new.binpb"));
    let told = (|| {
        std::fs::File::create(&old)?.write_all(&before.encode_to_vec())?;
        std::fs::File::create(&new)?.write_all(&now.pool.encode_to_vec())?;
        let mut command = Command::new(program(tree));
        command.arg("breaking").arg(&new).arg("--against").arg(&old).args(["--error-format", "json", "--config"]);
        command.arg(r#"{"version":"v2","breaking":{"use":["PACKAGE","WIRE_JSON"]}}"#).stdin(Stdio::null());
        command.output()
    })();
    std::fs::remove_dir_all(&folder).ok();
    let told = told.map_err(|error| {
        Failure::refused(format!("buf could not be run ({error})"), "./mart test lint brings it, or put it on the PATH")
    })?;
    let text = String::from_utf8_lossy(&told.stdout);
    // 100 is buf's code for findings.
    if !told.status.success() && told.status.code() != Some(100) {
        return Err(Failure::refused(
            format!("buf failed: {}", String::from_utf8_lossy(&told.stderr).trim()),
            "run it by hand: buf breaking --help",
        ));
    }
    let mut findings = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let told: TestEvent = serde_json::from_str(line).context("buf told something that is no JSON")?;
        let place = match now.sources.get(&told.path) {
            Some(source) => line_of(&source.path, &source.text, told.start_line),
            None => Place::file(told.path),
        };
        findings.push(Finding::error("breaking", place, format!("{} ({})", told.message, told.r#type), KEEP));
    }
    Ok(findings)
}

fn line_of(path: &str, text: &str, line: usize) -> Place {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = text[start.min(text.len())..].find('\n').map_or(text.len(), |at| start + at);
    Place { file: path.to_owned(), line, column: 1, span: start.min(text.len())..end }
}

/// buf as `./mart test lint` has brought it, or as it is found on the PATH.
fn program(tree: &Tree) -> PathBuf {
    let parts = std::fs::read_dir(tree.path(".mart/parts")).into_iter().flatten().flatten();
    let brought = parts.map(|entry| entry.path().join("bin/buf")).filter(|path| path.is_file()).max();
    brought.unwrap_or_else(|| "buf".into())
}

/// What only our options say: paths, roles, errors, topics and keys.
fn ours(before: &Mart, now: &Contracts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut broken = |place: &Place, what: String| findings.push(Finding::error("breaking", place.clone(), what, KEEP));
    for old in &before.services {
        let gone = Place::file(old.contracts.as_str());
        let Some(new) = now.mart.services.iter().find(|service| service.package == old.package) else {
            broken(&gone, format!("the service {} is gone", old.name));
            continue;
        };
        for was in old.operations() {
            match new.operations().find(|operation| operation.name == was.name) {
                None => broken(&gone, format!("the operation {} is gone", was.name)),
                Some(is) => operation(was, is, &mut broken),
            }
        }
        for was in &old.events {
            let Some(is) = new.events.iter().find(|event| event.full_name == was.full_name) else {
                broken(&gone, format!("the event {} is not published any more", was.name));
                continue;
            };
            if was.topic != is.topic {
                broken(&is.place, format!("the event {} moves from the topic {} to {}", was.name, was.topic, is.topic));
            }
            if was.key != is.key {
                let what = format!("the key of {} was {} and is {}: its order is lost", was.name, was.key, is.key);
                broken(&is.place, what);
            }
        }
    }
    findings
}

fn operation(was: &Operation, is: &Operation, broken: &mut impl FnMut(&Place, String)) {
    let name = &was.name;
    let (old, new) =
        (format!("{} {}", was.verb.to_uppercase(), was.path), format!("{} {}", is.verb.to_uppercase(), is.path));
    if old != new {
        broken(&is.place, format!("{name} was {old} and is {new}"));
    }
    if was.body != is.body {
        broken(&is.place, format!("{name} takes its body from elsewhere"));
    }
    let refused: Vec<&str> = match (&was.auth, &is.auth) {
        (Auth::Public, Auth::Roles(_)) => vec!["who has no token"],
        (Auth::Roles(old), Auth::Roles(new)) => {
            old.iter().filter(|role| !new.contains(role)).map(String::as_str).collect()
        }
        (old, new) if old != new && *new == Auth::Webhook => vec!["everybody but the webhook's sender"],
        _ => Vec::new(),
    };
    if !refused.is_empty() {
        broken(&is.place, format!("{name} refuses {} now", refused.join(" and ")));
    }
    if was.creates.is_some() && is.creates.is_none() {
        broken(&is.place, format!("{name} answers 200 instead of 201 and takes no Idempotency-Key any more"));
    }
    for reason in &was.errors {
        match is.errors.iter().find(|known| known.code == reason.code) {
            None => broken(&is.place, format!("{name} does not answer {} any more", reason.code)),
            Some(known) if known.status != reason.status => {
                let what =
                    format!("{name} answered {} with {} and does with {}", reason.code, reason.status, known.status);
                broken(&is.place, what);
            }
            Some(known) if reason.details.is_some() && known.details != reason.details => {
                broken(&is.place, format!("{name} answers {} with other details", reason.code));
            }
            Some(_) => {}
        }
    }
}

/// Fields whose rules take less than before.
fn narrowed(before: &DescriptorPool, now: &Contracts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for old in before.all_messages() {
        let Some(new) = now.pool.get_message_by_name(old.full_name()) else { continue };
        let file = new.parent_file();
        if now.sources.get(file.name()).is_none() {
            continue;
        }
        let info = Info::of(&file, &now.sources);
        for was in old.fields() {
            let Some(is) = new.get_field(was.number()) else { continue };
            for what in narrower(&was, &is) {
                let place = info.place(is.path(), file.name());
                let what = format!("{}.{} takes less: {what}", new.name(), is.name());
                findings.push(Finding::error("breaking", place, what, KEEP));
            }
        }
    }
    findings
}

/// The rules of a field that refuse what was taken before.
fn narrower(was: &FieldDescriptor, is: &FieldDescriptor) -> Vec<String> {
    let (old, new) = (rules::of(was), rules::of(is));
    let mut found = Vec::new();
    if let Some(new) = &new {
        compare(old.as_ref(), new, "", &mut found);
    }
    if rules::behaves(is, &[2]) && !rules::behaves(was, &[2]) {
        found.push("it is REQUIRED now".to_owned());
    }
    found
}

fn compare(old: Option<&DynamicMessage>, new: &DynamicMessage, path: &str, found: &mut Vec<String>) {
    use prost_reflect::ReflectMessage;
    for field in new.descriptor().fields().filter(|field| new.has_field(field)) {
        let name = field.name();
        let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if let Some(inner) = rules::member(new, name) {
            let before = old.and_then(|old| rules::member(old, name));
            compare(before.as_ref(), &inner, &full, found);
            continue;
        }
        let (Some(is), was) = (rules::json(new, name), old.and_then(|old| rules::json(old, name))) else { continue };
        if was.as_ref() == Some(&is) || is == serde_json::json!(false) {
            continue;
        }
        let numbers = (was.as_ref().and_then(serde_json::Value::as_f64), is.as_f64());
        let wider = match (name, numbers) {
            (name, (Some(was), Some(is))) if name.starts_with("min") || name.starts_with("gt") => is <= was,
            (name, (Some(was), Some(is))) if name.starts_with("max") || name.starts_with("lt") => is >= was,
            ("in", _) => {
                let items = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
                let now = items(&is);
                was.as_ref().is_some_and(|was| items(was).iter().all(|item| now.contains(item)))
            }
            _ => false,
        };
        if !wider {
            found.push(match was {
                Some(was) => format!("{full} was {was} and is {is}"),
                None => format!("{full} is {is} now"),
            });
        }
    }
}

/// The services that a contract's change reaches: the one that it is of, and those that react to its events.
fn affected(file: &str, before: &Mart, now: &Mart) -> String {
    let of = |service: &&Service| file.starts_with(&format!("{}/", service.contracts)) || file == service.contracts;
    let services = || now.services.iter().chain(&before.services);
    let Some(owner) = services().find(of) else { return "every service that imports it".to_owned() };
    let mut names = vec![format!("{} and its clients", owner.name)];
    let package = format!("{}.", owner.package);
    for service in services() {
        let reacts = service.consumes.iter().any(|consumed| consumed.event.full_name.starts_with(&package));
        if reacts && service.name != owner.name && !names.contains(&service.name) {
            names.push(service.name.clone());
        }
    }
    names.join(", ")
}
