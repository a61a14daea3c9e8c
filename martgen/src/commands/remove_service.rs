//! `remove-service`: removes a service that `new-service` created.

use anyhow::Result;

use super::{Contracts, report};
use crate::change_set::change_set;
use crate::cli::RemoveService;
use crate::contract::model::Mart;
use crate::digest;
use crate::failure::{CLEAN, Failure};
use crate::journal::{Change, Journal};
use crate::kind::Kind;
use crate::lock::{LOCK, Lock};
use crate::manifest;
use crate::render;
use crate::tree::Tree;
use crate::waivers::Waivers;

pub(super) fn run(tree: &Tree, arguments: &RemoveService, json: bool) -> Result<u8> {
    let name = arguments.name.as_str();
    let journal = if arguments.dry_run { None } else { Some(Journal::open(tree)?) };
    let lock = Lock::read(tree)?;
    let folders =
        [format!("services/{name}/"), format!("features/{name}/"), format!("proto/{}/{name}/", tree.settings.package)];
    let is_own = |path: &str| folders.iter().any(|folder| path.starts_with(folder.as_str()));
    let written: Vec<_> = lock.files.iter().filter(|(path, _)| is_own(path)).collect();
    if name.is_empty() || name.contains(['/', '\\', '.']) || written.is_empty() {
        return Err(Failure::usage(
            format!("martgen.lock has no files of a service {name}"),
            "list the services: ls services",
        ));
    }
    let mut contracts = Contracts::read(tree)?;
    if contracts.is_invalid() {
        return Ok(report(&contracts.findings, &contracts.sources, json, true));
    }
    let consumers = consumers(&contracts.mart, name, &tree.settings.package);
    if !consumers.is_empty() {
        return Err(Failure::refused(
            format!("{name} can't be removed: its events are consumed by {}", consumers.join("; ")),
            "remove these events from consumes in their contracts first",
        ));
    }

    let mut changed = Vec::new();
    for (path, entry) in &written {
        if tree.read(path)?.is_some_and(|text| digest::bytes(text.as_bytes()) != entry.content) {
            changed.push((*path).clone());
        }
    }
    // Files that were added by hand.
    let mut added = Vec::new();
    for folder in folders.iter().take(2) {
        added.extend(
            tree.files(folder.trim_end_matches('/'), "")?.into_iter().filter(|path| !lock.files.contains_key(path)),
        );
    }
    let mut waivers = Waivers::read(tree)?;
    let waived = waivers.0.keys().any(|path| is_own(path));
    waivers.0.retain(|path, _| !is_own(path));
    // Files of all services, such as Kong's routes, are rendered without this one.
    let topics = Topics::of(&contracts.mart, name);
    contracts.mart.services.iter_mut().filter(|service| service.name == name).for_each(|service| service.home = None);
    let plan = render::mart(&contracts.mart, &contracts.sources, &contracts.pool)?;
    let change_set = change_set(tree, &plan, &lock, &waivers, false)?;
    let mut next = change_set.next.clone();
    next.files.retain(|path, _| !is_own(path));
    let files = written.iter().map(|(path, _)| (*path).clone()).chain(added.iter().cloned());
    let mut changes: Vec<Change> = files.map(|path| Change { path, content: None }).collect();
    changes.extend(change_set.files().filter(|change| !is_own(&change.path)).cloned());
    let removed: Vec<String> =
        changes.iter().filter(|change| change.content.is_none()).map(|change| change.path.clone()).collect();
    if let Some(cargo) = tree.read("Cargo.lock")? {
        let packages = [format!("{name}-core"), format!("{name}-service")];
        changes.push(Change {
            path: "Cargo.lock".to_owned(),
            content: Some(manifest::without_packages(&cargo, &packages)),
        });
    }
    if waived {
        changes.push(Change { path: crate::waivers::WAIVERS.to_owned(), content: waivers.text() });
    }
    changes.push(Change { path: LOCK.to_owned(), content: Some(next.text()) });

    let touched: Vec<&String> = changed.iter().chain(&added).collect();
    let refused = !touched.is_empty() && !arguments.force;
    if let Some(journal) = journal.filter(|_| !refused) {
        journal.write(&changes)?;
    }
    let is_contract_kept =
        !written.iter().any(|(path, entry)| entry.kind == Kind::Scaffold && path.starts_with(&folders[2]));
    let previews = arguments.dry_run || refused;
    if json {
        anstream::println!("{}", serde_json::json!({ "written": !previews, "removed": removed, "changed": touched }));
    } else {
        let verb = if previews { "would remove" } else { "removed" };
        for path in &removed {
            anstream::println!("{verb} {path}");
        }
        if is_contract_kept {
            anstream::println!("kept {}: new-service did not write this contract", folders[2].trim_end_matches('/'));
        }
        topics.print_cleanup(name);
    }
    if refused && !arguments.dry_run {
        let list = touched.iter().map(|path| path.as_str()).collect::<Vec<_>>().join("\n  ");
        return Err(Failure::refused(
            format!("nothing was removed: these files were changed or added since {name} was created\n  {list}"),
            format!("cargo martgen remove-service {name} --force removes them, too; git keeps what was committed"),
        ));
    }
    Ok(CLEAN)
}

/// Returns the other services that consume events of this one, each with these events.
fn consumers(mart: &Mart, name: &str, package: &str) -> Vec<String> {
    let own = format!("{package}.{name}.");
    let others = mart.services.iter().filter(|service| service.name != name);
    others
        .filter_map(|service| {
            let consumed = service.consumes.iter().filter(|consumed| consumed.event.full_name.starts_with(&own));
            let events: Vec<&str> = consumed.map(|consumed| consumed.event.name.as_str()).collect();
            (!events.is_empty()).then(|| format!("{} ({})", service.name, events.join(", ")))
        })
        .collect()
}

/// The topics and the consumer group of a service. They stay when the service is removed.
struct Topics {
    published: Vec<String>,
    consumes: bool,
}

impl Topics {
    fn of(mart: &Mart, name: &str) -> Self {
        let service = mart.services.iter().find(|service| service.name == name);
        let published = service.map(|service| service.topics().into_iter().map(str::to_owned).collect());
        Self {
            published: published.unwrap_or_default(),
            consumes: service.is_some_and(|service| !service.consumes.is_empty()),
        }
    }

    /// Prints the commands that drop what the service leaves on servers.
    fn print_cleanup(&self, name: &str) {
        anstream::println!("not removed from the servers on which the mart has run; to drop it there:");
        anstream::println!("  database and roles: drop database {name}; drop role {name}_app; drop role {name}_owner;");
        for topic in &self.published {
            anstream::println!("  topic:              kafka-topics.sh --bootstrap-server … --delete --topic {topic}");
        }
        if self.consumes {
            anstream::println!(
                "  consumer group:     kafka-consumer-groups.sh --bootstrap-server … --delete --group {name}"
            );
        }
        anstream::println!("  or all data of this clone: ./mart down --wipe");
    }
}
