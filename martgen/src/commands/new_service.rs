//! Making a service.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::tell;
use crate::change_set::change_set;
use crate::cli::NewService;
use crate::contract;
use crate::contract::model::{Auth, Event, Home, Mart, Service};
use crate::contract::source::Sources;
use crate::failure::{CLEAN, Failure};
use crate::finding::Finding;
use crate::journal::{Change, Journal};
use crate::lock::Lock;
use crate::plan::{Kind, Plan};
use crate::scaffold::{self, Scaffold};
use crate::tree::Tree;
use crate::waivers::Waivers;
use crate::{manifest, naming, render};

pub(super) fn run(tree: &Tree, arguments: &NewService, json: bool) -> Result<u8> {
    let name = arguments.name.as_str();
    let writes = !(arguments.dry_run || arguments.diff);
    let journal = if writes { Some(Journal::open(tree)?) } else { None };
    is_new(tree, name)?;
    naming::check(tree, name)?;

    let contracts = format!("proto/{}/{name}", tree.settings.package);
    let sampled = tree.files(&contracts, ".proto")?.is_empty();
    let mut written = BTreeMap::new();
    if sampled {
        let before = Sources::read(tree, &BTreeMap::new())?;
        let consumes = match before.compile(&tree.settings.package) {
            Ok(pool) => consumed(name, &contract::model(tree, &before, &pool).0, &arguments.consumes)?,
            Err(finding) => return Ok(tell(&[*finding], &before, json, true)),
        };
        written = scaffold::sample_contract(&tree.settings.package, name, consumes)?;
    }
    let more = written.iter().map(|(path, (text, _))| (path.clone(), text.clone())).collect();
    let sources = Sources::read(tree, &more)?;
    let pool = match sources.compile(&tree.settings.package) {
        Ok(pool) => pool,
        Err(finding) => return Ok(tell(&[*finding], &sources, json, true)),
    };
    let (mut mart, findings) = contract::model(tree, &sources, &pool);
    if !findings.is_empty() {
        return Ok(tell(&findings, &sources, json, true));
    }
    let asked = consumed(name, &mart, &arguments.consumes)?;
    let service = mart.services.iter_mut().find(|service| service.name == name).ok_or_else(|| {
        Failure::usage(
            format!("{contracts} has neither a service nor an event"),
            "write one, or take the folder away and a sample is made",
        )
    })?;
    if let Some((event, handler)) =
        asked.iter().find(|(event, _)| service.consumes.iter().all(|known| known.event.full_name != *event))
    {
        return Err(Failure::usage(
            format!("the contract in {contracts} says nothing of {event}"),
            format!("add to its consumes: {{event: \"{event}\" handler: \"{handler}\"}}"),
        ));
    }
    service.home = Some(Home {
        service: format!("services/{name}/service"),
        core: format!("{name}_core"),
        library: format!("{name}_service"),
        is_deployable: true,
        commands: false,
    });
    let scaffold = scaffold::recognize(service, &pool, &sources);
    let findings = without_owner(service, &scaffold);
    if !findings.is_empty() {
        return Ok(tell(&findings, &sources, json, true));
    }
    let mut plan = render::mart(&mart, &sources, &pool)?;
    for (path, (text, template)) in &written {
        plan.add(path.clone(), Kind::Scaffold, format!("{template} {contracts}"), text.clone());
    }
    scaffold::files(&scaffold, &mut plan)?;

    let mut change_set = change_set(tree, &plan, &Lock::read(tree)?, &Waivers::read(tree)?, false)?;
    let cargo = tree.read("Cargo.lock")?.context("Cargo.lock is gone: bring it back by git checkout Cargo.lock")?;
    let manifests: Vec<&str> = ["core", "service"]
        .iter()
        .filter_map(|part| Some(plan.files.get(&format!("services/{name}/{part}/Cargo.toml"))?.raw.as_str()))
        .collect();
    let content = Some(manifest::with_packages(&cargo, &manifests)?);
    change_set.changes.push(Change { path: "Cargo.lock".to_owned(), content });
    if let Some(journal) = journal {
        journal.write(&change_set.changes)?;
    }
    if json {
        let kind = |path: &str| plan.files.get(path).map(|planned| planned.kind.name());
        let files: Vec<_> = change_set
            .files()
            .map(|change| serde_json::json!({ "file": change.path, "kind": kind(&change.path) }))
            .collect();
        let told = serde_json::json!({ "written": writes, "files": files, "left": scaffold.left, "example": scaffold::example(&scaffold) });
        anstream::println!("{told}");
    } else {
        if arguments.diff {
            for change in change_set.files() {
                anstream::print!("{}", change_set.diff(change));
            }
        }
        told(&plan, &scaffold, sampled, writes);
    }
    // What somebody edited elsewhere is none of this command's business; generate tells it.
    Ok(CLEAN)
}

/// Says what was made, of which kind each part is, what to do next and how to undo it.
fn told(plan: &Plan, scaffold: &Scaffold, sampled: bool, writes: bool) {
    let name = &scaffold.name;
    let of_service = |path: &str| {
        path.starts_with(&format!("services/{name}/"))
            || path.starts_with(&format!("features/{name}/"))
            || path.starts_with(&format!("{}/", scaffold.contracts))
    };
    anstream::println!(
        "{} {name} {}:",
        if writes { "made" } else { "would make" },
        if sampled { "from a sample" } else { "from its contract" }
    );
    for (kind, says) in [
        (Kind::Scaffold, "yours from now on"),
        (Kind::Managed, "kept by generate, unless you waive it"),
        (Kind::Generated, "kept by generate"),
    ] {
        let files: Vec<&String> = plan
            .files
            .iter()
            .filter(|(path, planned)| planned.kind == kind && of_service(path))
            .map(|(path, _)| path)
            .collect();
        let lines: usize = files.iter().map(|path| plan.files[*path].raw.lines().count()).sum();
        anstream::println!("  {} files, {}: {says} ({lines} lines)", kind.name(), files.len());
        for path in files {
            anstream::println!("    {path}");
        }
    }
    if !scaffold.left.is_empty() {
        anstream::println!("not written, the compiler names what they need:");
        for left in &scaffold.left {
            anstream::println!("  {left}");
        }
    }
    anstream::println!("next:");
    if sampled {
        anstream::println!("  say in {} what it is about, then: cargo martgen generate", scaffold.contracts);
    }
    if scaffold.left.is_empty() {
        anstream::println!("  ./mart test core features {name}");
        anstream::println!("  ./mart up");
        if let Some(example) = scaffold::example(scaffold) {
            anstream::println!("  {example}");
        }
    } else {
        anstream::println!("  cargo check --package {name}-service");
    }
    anstream::println!("undo: cargo martgen remove-service {name}");
}

/// A service that is there, whole or in part, is not made again.
fn is_new(tree: &Tree, name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', '\\', '.']) {
        return Ok(());
    }
    let parts = ["core", "service"].map(|part| format!("services/{name}/{part}/Cargo.toml"));
    let there: Vec<&String> = parts.iter().filter(|path| tree.path(path).is_file()).collect();
    if there.len() == parts.len() || tree.settings.fixture.iter().any(|fixture| fixture.service == name) {
        return Err(Failure::usage(
            format!("there is a service {name} already"),
            "add to its contract and run cargo martgen generate, or take another name",
        ));
    }
    let folders = [format!("services/{name}"), format!("features/{name}")];
    if let Some(folder) = folders.iter().find(|folder| tree.path(folder).exists()) {
        return Err(Failure::usage(
            format!("{folder} is there, but is not a whole service"),
            format!("move it away, or remove what is left of it by cargo martgen remove-service {name}"),
        ));
    }
    Ok(())
}

/// What is written for a resource knows no owner: each customer would read, change and delete those of all others.
fn without_owner(service: &Service, scaffold: &Scaffold) -> Vec<Finding> {
    let whole: Vec<&String> = scaffold.protobuf.iter().flat_map(|protobuf| &protobuf.methods).collect();
    let open = service.operations().filter(|operation| whole.contains(&&operation.method)).filter(
        |operation| matches!(&operation.auth, Auth::Roles(roles) if roles.iter().any(|role| role == "customer")),
    );
    open.map(|operation| {
        Finding::error(
            "no-owner",
            operation.place.clone(),
            format!("`{}` would be answered for every customer, whosever the resource is", operation.name),
            "what new-service writes for a resource knows no owner yet: let admins call it, or everybody; or give the resource \
             another shape, such as one without etag, so that its operations are left to you, and check there whose it is",
        )
    })
    .collect()
}

/// The events that the command line names, in full, each with the name of its reaction.
fn consumed(name: &str, mart: &Mart, asked: &[String]) -> Result<Vec<(String, String)>> {
    let events: Vec<(&str, &Event)> = mart
        .services
        .iter()
        .flat_map(|service| service.events.iter().map(|event| (service.name.as_str(), event)))
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for asked in asked {
        let matching = |(service, event): &&(&str, &Event)| {
            event.full_name == *asked || *asked == format!("{service}.{}", event.name)
        };
        let Some((_, event)) = events.iter().find(matching) else {
            let known: Vec<String> =
                events.iter().map(|(service, event)| format!("{service}.{}", event.name)).collect();
            return Err(Failure::usage(format!("nobody publishes {asked}"), format!("there are {}", known.join(", "))));
        };
        let handler = format!("{name}.{}", event.method.trim_start_matches("r#").replace('_', "-"));
        if !found.iter().any(|(known, _)| *known == event.full_name) {
            found.push((event.full_name.clone(), handler));
        }
    }
    Ok(found)
}
