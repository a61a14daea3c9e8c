//! `check --against`: reports what breaks clients of an earlier state of the contracts, by buf's rules and by martgen's own rules
//! for its options.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor};
use serde::Deserialize;

use super::pipeline::Contracts;
use crate::contract;
use crate::contract::model::{Auth, Mart, Operation, Service};
use crate::contract::rules;
use crate::contract::source::{Info, Sources};
use crate::failure::Failure;
use crate::finding::{Finding, Place};
use crate::tree::Tree;

const HELP: &str = "keep the old definition and add the new one beside it, or change it only if no client uses it yet";

pub(super) fn run(tree: &Tree, reference: &str, json: bool) -> Result<u8> {
    let now = match Contracts::checked(tree, json)? {
        Ok(now) => now,
        Err(code) => return Ok(code),
    };
    let sources = sources_of(tree, reference)?;
    let pool = sources.compile(&tree.settings.package).map_err(|finding| {
        Failure::refused(
            format!("the contracts of {reference} do not compile: {}", finding.what),
            "name a commit whose contracts compile",
        )
    })?;
    let (before, _) = contract::model(tree, &sources, &pool);
    let mut findings = buf_findings(tree, &now, &pool)?;
    findings.extend(option_findings(&before, &now));
    findings.extend(rule_findings(&pool, &now));
    findings.sort_by(|a, b| (&a.place.file, a.place.line, &a.what).cmp(&(&b.place.file, b.place.line, &b.what)));
    findings.dedup();
    for finding in &mut findings {
        finding.help = format!("{HELP}; affected: {}", affected(&finding.place.file, &before, &now.mart));
    }
    let code = now.report(&findings, json);
    if findings.is_empty() && !json {
        anstream::println!("no breaking changes since {reference}");
    }
    Ok(code)
}

/// Reads the contracts of a commit, branch or tag from git.
fn sources_of(tree: &Tree, reference: &str) -> Result<Sources> {
    let git = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("git").args(arguments).current_dir(&tree.root).stdin(Stdio::null()).output();
        let output =
            output.map_err(|error| Failure::refused(format!("git could not be run ({error})"), "install git"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let what = format!("git can't resolve {reference}: {}", stderr.lines().next().unwrap_or_default());
            return Err(Failure::usage(what, "name a commit, branch or tag of this clone"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut roots = vec!["proto".to_owned()];
    roots.extend(tree.settings.fixture.iter().map(|fixture| fixture.contracts.clone()));
    let mut texts = BTreeMap::new();
    for root in &roots {
        // A reference that begins with a dash must not be taken for an option.
        let listed = git(&["ls-tree", "-r", "--name-only", "--end-of-options", reference, "--", root])?;
        for path in listed.lines().filter(|path| Path::new(path).extension().is_some_and(|ending| ending == "proto")) {
            let text = git(&["show", "--end-of-options", &format!("{reference}:./{path}")])?;
            texts.insert(path.to_owned(), text);
        }
    }
    Ok(Sources::of(&roots, texts))
}

/// A finding of buf, as one line of its JSON output.
#[derive(Deserialize)]
struct BufFinding {
    path: String,
    #[serde(default)]
    start_line: usize,
    r#type: String,
    message: String,
}

/// Returns the findings of `buf breaking` on messages and enums.
fn buf_findings(tree: &Tree, now: &Contracts, before: &DescriptorPool) -> Result<Vec<Finding>> {
    let folder = std::env::temp_dir().join(format!("martgen-against-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (old, new) = (folder.join("old.binpb"), folder.join("new.binpb"));
    let output = (|| {
        std::fs::File::create(&old)?.write_all(&before.encode_to_vec())?;
        std::fs::File::create(&new)?.write_all(&now.pool.encode_to_vec())?;
        let mut command = Command::new(buf_program(tree));
        command.arg("breaking").arg(&new).arg("--against").arg(&old).args(["--error-format", "json", "--config"]);
        command.arg(r#"{"version":"v2","breaking":{"use":["PACKAGE","WIRE_JSON"]}}"#).stdin(Stdio::null());
        command.output()
    })();
    std::fs::remove_dir_all(&folder).ok();
    let output = output.map_err(|error| {
        let help = "install it with ./mart test lint, or put it on the PATH";
        Failure::refused(format!("buf could not be run ({error})"), help)
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    // buf exits with 100 if there are findings.
    if !output.status.success() && output.status.code() != Some(100) {
        return Err(Failure::refused(
            format!("buf failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
            "run it by hand: buf breaking --help",
        ));
    }
    let mut findings = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let found: BufFinding = serde_json::from_str(line).context("buf printed a line that is not JSON")?;
        let place = match now.sources.get(&found.path) {
            Some(source) => place_of_line(&source.path, &source.text, found.start_line),
            None => Place::file(found.path),
        };
        findings.push(Finding::error("breaking", place, format!("{} ({})", found.message, found.r#type), HELP));
    }
    Ok(findings)
}

fn place_of_line(path: &str, text: &str, line: usize) -> Place {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = text[start.min(text.len())..].find('\n').map_or(text.len(), |at| start + at);
    Place { file: path.to_owned(), line, column: 1, span: start.min(text.len())..end }
}

/// Returns the buf that `./mart test lint` has installed, or `buf` from the PATH.
fn buf_program(tree: &Tree) -> PathBuf {
    let tools = std::fs::read_dir(tree.path(".mart/parts")).into_iter().flatten().flatten();
    let installed = tools.map(|entry| entry.path().join("bin/buf")).filter(|path| path.is_file()).max();
    installed.unwrap_or_else(|| "buf".into())
}

/// Compares martgen's own options: paths, roles, errors, topics and keys.
fn option_findings(before: &Mart, now: &Contracts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut breaking =
        |place: &Place, what: String| findings.push(Finding::error("breaking", place.clone(), what, HELP));
    for old in &before.services {
        let removed = Place::file(old.contracts.as_str());
        let Some(new) = now.mart.services.iter().find(|service| service.package == old.package) else {
            breaking(&removed, format!("the service {} was removed", old.name));
            continue;
        };
        for was in old.operations() {
            match new.operations().find(|operation| operation.name == was.name) {
                None => breaking(&removed, format!("the operation {} was removed", was.name)),
                Some(is) => compare_operations(was, is, &mut breaking),
            }
        }
        for was in &old.events {
            let Some(is) = new.events.iter().find(|event| event.full_name == was.full_name) else {
                breaking(&removed, format!("the event {} is no longer published", was.name));
                continue;
            };
            if was.topic != is.topic {
                let what = format!("the event {} moves from the topic {} to {}", was.name, was.topic, is.topic);
                breaking(&is.place, what);
            }
            if was.key != is.key {
                let what =
                    format!("the key of {} was {} and is {}: the events lose their order", was.name, was.key, is.key);
                breaking(&is.place, what);
            }
        }
    }
    findings
}

fn compare_operations(was: &Operation, is: &Operation, breaking: &mut impl FnMut(&Place, String)) {
    let name = &was.name;
    let (old, new) =
        (format!("{} {}", was.verb.to_uppercase(), was.path), format!("{} {}", is.verb.to_uppercase(), is.path));
    if old != new {
        breaking(&is.place, format!("{name} was {old} and is {new}"));
    }
    if was.body != is.body {
        breaking(&is.place, format!("{name} reads its body into another field"));
    }
    let rejected: Vec<String> = match (&was.auth, &is.auth) {
        (Auth::Public, Auth::Roles(_)) => vec!["callers without a token".to_owned()],
        (Auth::Roles(old), Auth::Roles(new)) => {
            old.iter().filter(|role| !new.contains(role)).map(|role| format!("the role {role}")).collect()
        }
        (old, new) if old != new && *new == Auth::Webhook => {
            vec!["all callers except the webhook's sender".to_owned()]
        }
        _ => Vec::new(),
    };
    if !rejected.is_empty() {
        breaking(&is.place, format!("{name} now rejects {}", rejected.join(" and ")));
    }
    if was.creates.is_some() && is.creates.is_none() {
        breaking(&is.place, format!("{name} returns 200 instead of 201 and no longer supports an Idempotency-Key"));
    }
    for reason in &was.errors {
        match is.errors.iter().find(|known| known.code == reason.code) {
            None => breaking(&is.place, format!("{name} no longer returns {}", reason.code)),
            Some(known) if known.status != reason.status => {
                let what = format!(
                    "{name} returned {} with {} and now returns it with {}",
                    reason.code, reason.status, known.status
                );
                breaking(&is.place, what);
            }
            Some(known) if reason.details.is_some() && known.details != reason.details => {
                breaking(&is.place, format!("{name} returns {} with other details", reason.code));
            }
            Some(_) => {}
        }
    }
}

/// Returns a finding for each field rule that accepts fewer values than before.
fn rule_findings(before: &DescriptorPool, now: &Contracts) -> Vec<Finding> {
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
            for rule in narrower_rules(&was, &is) {
                let place = info.place(is.path(), file.name());
                let what = format!("{}.{} accepts fewer values: {rule}", new.name(), is.name());
                findings.push(Finding::error("breaking", place, what, HELP));
            }
        }
    }
    findings
}

/// Describes the rules of a field that reject values that were accepted before.
fn narrower_rules(was: &FieldDescriptor, is: &FieldDescriptor) -> Vec<String> {
    let (old, new) = (rules::of(was), rules::of(is));
    let mut found = Vec::new();
    if let Some(new) = &new {
        compare_rules(old.as_ref(), new, "", &mut found);
    }
    if rules::behaves(is, &[2]) && !rules::behaves(was, &[2]) {
        found.push("it is now REQUIRED".to_owned());
    }
    found
}

fn compare_rules(old: Option<&DynamicMessage>, new: &DynamicMessage, path: &str, found: &mut Vec<String>) {
    use prost_reflect::ReflectMessage;
    for field in new.descriptor().fields().filter(|field| new.has_field(field)) {
        let name = field.name();
        let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if let Some(inner) = rules::member(new, name) {
            let before = old.and_then(|old| rules::member(old, name));
            compare_rules(before.as_ref(), &inner, &full, found);
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
                None => format!("{full} is now {is}"),
            });
        }
    }
}

/// Lists the services that a change of a contract affects: its own service, and those that consume its events.
fn affected(file: &str, before: &Mart, now: &Mart) -> String {
    let owns = |service: &&Service| file.starts_with(&format!("{}/", service.contracts)) || file == service.contracts;
    let services = || now.services.iter().chain(&before.services);
    let Some(owner) = services().find(owns) else { return "every service that imports it".to_owned() };
    let mut names = vec![format!("{} and its clients", owner.name)];
    let package = format!("{}.", owner.package);
    for service in services() {
        let consumes = service.consumes.iter().any(|consumed| consumed.event.full_name.starts_with(&package));
        if consumes && service.name != owner.name && !names.contains(&service.name) {
            names.push(service.name.clone());
        }
    }
    names.join(", ")
}
