//! `remove-service`: removes a service that `new-service` created.

use anyhow::Result;

use super::pipeline::{Contracts, Writer};
use crate::change_set::change_set;
use crate::cli::RemoveService;
use crate::contract::model::Mart;
use crate::digest;
use crate::failure::{CLEAN, Failure};
use crate::journal::Change;
use crate::kind::Kind;
use crate::lock::{Entry, LOCK, Lock};
use crate::manifest;
use crate::tree::Tree;
use crate::waivers::{WAIVERS, Waivers};

pub(super) fn run(tree: &Tree, arguments: &RemoveService, json: bool) -> Result<u8> {
    let name = arguments.name.as_str();
    let writer = Writer::open(tree, !arguments.dry_run)?;
    let lock = Lock::read(tree)?;
    let own = Own::of(tree, name, &lock);
    if name.is_empty() || name.contains(['/', '\\', '.']) || own.written.is_empty() {
        return Err(Failure::usage(
            format!("martgen.lock has no files of a service {name}"),
            "list the services: ls services",
        ));
    }
    let mut contracts = match Contracts::checked(tree, json)? {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    ensure_unconsumed(&contracts.mart, name, &tree.settings.package)?;

    let (changed, added) = (own.changed(tree)?, own.added(tree, &lock)?);
    let mut waivers = Waivers::read(tree)?;
    let waived = waivers.0.keys().any(|path| own.has(path));
    waivers.0.retain(|path, _| !own.has(path));
    // Files of all services, such as Kong's routes, are rendered without this one.
    let topics = Topics::of(&contracts.mart, name);
    contracts.mart.services.iter_mut().filter(|service| service.name == name).for_each(|service| service.home = None);
    let change_set = change_set(tree, &contracts.render()?, &lock, &waivers, false)?;
    let mut changes = own.removals(&added);
    changes.extend(change_set.files().filter(|change| !own.has(&change.path)).cloned());
    let removed: Vec<String> =
        changes.iter().filter(|change| change.content.is_none()).map(|change| change.path.clone()).collect();
    changes.extend(own.records(tree, name, change_set.next, waived.then_some(&waivers))?);

    let touched: Vec<&String> = changed.iter().chain(&added).collect();
    let refused = !touched.is_empty() && !arguments.force;
    if !refused {
        writer.write(&changes)?;
    }
    let previews = arguments.dry_run || refused;
    if json {
        anstream::println!("{}", serde_json::json!({ "written": !previews, "removed": removed, "changed": touched }));
    } else {
        own.print(&removed, previews);
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

/// The files of the service.
struct Own<'a> {
    /// The folders of its code, its features and its contracts. Each ends with a slash.
    folders: [String; 3],
    /// The files that martgen wrote.
    written: Vec<(&'a String, &'a Entry)>,
}

impl<'a> Own<'a> {
    fn of(tree: &Tree, name: &str, lock: &'a Lock) -> Self {
        let contracts = format!("proto/{}/{name}/", tree.settings.package);
        let mut own = Self {
            folders: [format!("services/{name}/"), format!("features/{name}/"), contracts],
            written: Vec::new(),
        };
        own.written = lock.files.iter().filter(|(path, _)| own.has(path)).collect();
        own
    }

    fn has(&self, path: &str) -> bool {
        self.folders.iter().any(|folder| path.starts_with(folder.as_str()))
    }

    /// Returns the written files that were edited by hand.
    fn changed(&self, tree: &Tree) -> Result<Vec<String>> {
        let mut changed = Vec::new();
        for (path, entry) in &self.written {
            if tree.read(path)?.is_some_and(|text| digest::bytes(text.as_bytes()) != entry.content) {
                changed.push((*path).clone());
            }
        }
        Ok(changed)
    }

    /// Returns the files that were added by hand, except contracts.
    fn added(&self, tree: &Tree, lock: &Lock) -> Result<Vec<String>> {
        let mut added = Vec::new();
        for folder in self.folders.iter().take(2) {
            let files = tree.files(folder.trim_end_matches('/'), "")?;
            added.extend(files.into_iter().filter(|path| !lock.files.contains_key(path)));
        }
        Ok(added)
    }

    /// Returns the removals of the written and the added files.
    fn removals(&self, added: &[String]) -> Vec<Change> {
        let files = self.written.iter().map(|(path, _)| (*path).clone()).chain(added.iter().cloned());
        files.map(|path| Change { path, content: None }).collect()
    }

    /// Returns the changes of `Cargo.lock`, of the waivers if there are some to write, and of the lock.
    fn records(&self, tree: &Tree, name: &str, mut next: Lock, waivers: Option<&Waivers>) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        if let Some(cargo) = tree.read("Cargo.lock")? {
            let packages = [format!("{name}-core"), format!("{name}-service")];
            let content = Some(manifest::without_packages(&cargo, &packages));
            changes.push(Change { path: "Cargo.lock".to_owned(), content });
        }
        changes.extend(waivers.map(|waivers| Change { path: WAIVERS.to_owned(), content: waivers.text() }));
        next.files.retain(|path, _| !self.has(path));
        changes.push(Change { path: LOCK.to_owned(), content: Some(next.text()) });
        Ok(changes)
    }

    /// Prints the removed files, and the contract if it is kept.
    fn print(&self, removed: &[String], previews: bool) {
        let verb = if previews { "would remove" } else { "removed" };
        for path in removed {
            anstream::println!("{verb} {path}");
        }
        let contracts = &self.folders[2];
        if !self.written.iter().any(|(path, entry)| entry.kind == Kind::Scaffold && path.starts_with(contracts)) {
            anstream::println!("kept {}: new-service did not write this contract", contracts.trim_end_matches('/'));
        }
    }
}

/// Refuses to remove a service whose events other services consume.
fn ensure_unconsumed(mart: &Mart, name: &str, package: &str) -> Result<()> {
    let consumers = consumers(mart, name, package);
    if consumers.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(
        format!("{name} can't be removed: its events are consumed by {}", consumers.join("; ")),
        "remove these events from consumes in their contracts first",
    ))
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
