//! `new-service`: creates a service from its contract, or from a sample.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::pipeline::{self, Contracts, Writer};
use crate::change_set::ChangeSet;
use crate::cli::NewService;
use crate::contract::model::{Auth, Event, Home, Mart, Service};
use crate::failure::{CLEAN, Failure};
use crate::finding::Finding;
use crate::journal::Change;
use crate::kind::Kind;
use crate::plan::Plan;
use crate::scaffold::{self, Scaffold};
use crate::tree::Tree;
use crate::{manifest, naming};

pub(super) fn run(tree: &Tree, arguments: &NewService, json: bool) -> Result<u8> {
    let name = arguments.name.as_str();
    let writes = !(arguments.dry_run || arguments.diff);
    let writer = Writer::open(tree, writes)?;
    ensure_new(tree, name)?;
    naming::check(tree, name)?;

    let folder = format!("proto/{}/{name}", tree.settings.package);
    let from_sample = tree.files(&folder, ".proto")?.is_empty();
    let mut sample = BTreeMap::new();
    if from_sample {
        let before = Contracts::read(tree, &BTreeMap::new())?;
        if !before.is_compiled {
            return Ok(before.reject(&before.findings, json));
        }
        let consumes = requested_events(name, &before.mart, &arguments.consumes)?;
        sample = scaffold::sample_contract(&tree.settings.package, name, consumes)?;
    }
    let more = sample.iter().map(|(path, (text, _))| (path.clone(), text.clone())).collect();
    let mut contracts = match Contracts::read(tree, &more)?.check(json) {
        Ok(contracts) => contracts,
        Err(code) => return Ok(code),
    };
    let service = declared(&mut contracts.mart, &folder, arguments)?;
    let scaffold = scaffold::recognize(service, &contracts.pool, &contracts.sources);
    let findings = unowned_resources(service, &scaffold);
    if !findings.is_empty() {
        return Ok(contracts.reject(&findings, json));
    }
    let mut plan = contracts.render()?;
    for (path, (text, template)) in &sample {
        plan.add(path.clone(), Kind::Scaffold, format!("{template} {folder}"), text.clone());
    }
    scaffold::files(&scaffold, &mut plan)?;

    let mut change_set = pipeline::changes(tree, &plan, false)?;
    change_set.changes.push(cargo_lock(tree, &plan, name)?);
    writer.write(&change_set.changes)?;
    if json {
        print_document(&plan, &scaffold, &change_set, writes);
    } else {
        if arguments.diff {
            for change in change_set.files() {
                anstream::print!("{}", change_set.diff(change));
            }
        }
        print_summary(&plan, &scaffold, from_sample, writes);
    }
    // Edited files of other services are left as they are; generate reports them.
    Ok(CLEAN)
}

/// Returns the new service as its contract declares it, with the folder and the crates that it gets.
fn declared<'a>(mart: &'a mut Mart, folder: &str, arguments: &NewService) -> Result<&'a Service> {
    let name = arguments.name.as_str();
    let requested = requested_events(name, mart, &arguments.consumes)?;
    let service = mart.services.iter_mut().find(|service| service.name == name).ok_or_else(|| {
        Failure::usage(
            format!("{folder} has neither a service nor an event"),
            "declare one, or remove the folder to start from a sample",
        )
    })?;
    if let Some((event, handler)) =
        requested.iter().find(|(event, _)| service.consumes.iter().all(|known| known.event.full_name != *event))
    {
        return Err(Failure::usage(
            format!("the contract in {folder} does not consume {event}"),
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
    Ok(service)
}

/// Returns the change of `Cargo.lock` that adds the packages of the service.
fn cargo_lock(tree: &Tree, plan: &Plan, name: &str) -> Result<Change> {
    let cargo = tree.read("Cargo.lock")?.context("Cargo.lock is missing: restore it with git checkout Cargo.lock")?;
    let manifests: Vec<&str> = ["core", "service"]
        .iter()
        .filter_map(|part| Some(plan.files.get(&format!("services/{name}/{part}/Cargo.toml"))?.raw.as_str()))
        .collect();
    let content = Some(manifest::with_packages(&cargo, &manifests)?);
    Ok(Change { path: "Cargo.lock".to_owned(), content })
}

/// Prints the new files, what is left to implement and an example of a request as JSON.
fn print_document(plan: &Plan, scaffold: &Scaffold, change_set: &ChangeSet, writes: bool) {
    let kind = |path: &str| plan.files.get(path).map(|planned| planned.kind.name());
    let files: Vec<_> = change_set
        .files()
        .map(|change| serde_json::json!({ "file": change.path, "kind": kind(&change.path) }))
        .collect();
    let (left, example) = (&scaffold.left, scaffold::example(scaffold));
    let document = serde_json::json!({ "written": writes, "files": files, "left": left, "example": example });
    anstream::println!("{document}");
}

/// Prints the new files by their kind, what is left to implement, the next commands and the command that undoes this one.
fn print_summary(plan: &Plan, scaffold: &Scaffold, from_sample: bool, writes: bool) {
    let name = &scaffold.name;
    let is_own = |path: &str| {
        path.starts_with(&format!("services/{name}/"))
            || path.starts_with(&format!("features/{name}/"))
            || path.starts_with(&format!("{}/", scaffold.contracts))
    };
    anstream::println!(
        "{} {name} {}:",
        if writes { "created" } else { "would create" },
        if from_sample { "from a sample contract" } else { "from its contract" }
    );
    for (kind, description) in [
        (Kind::Scaffold, "yours from now on"),
        (Kind::Managed, "rewritten by generate unless waived"),
        (Kind::Generated, "rewritten by generate"),
    ] {
        let files: Vec<&String> = plan
            .files
            .iter()
            .filter(|(path, planned)| planned.kind == kind && is_own(path))
            .map(|(path, _)| path)
            .collect();
        let lines: usize = files.iter().map(|path| plan.files[*path].raw.lines().count()).sum();
        anstream::println!("  {} {} files ({lines} lines), {description}:", files.len(), kind.name());
        for path in files {
            anstream::println!("    {path}");
        }
    }
    if !scaffold.left.is_empty() {
        anstream::println!("not generated; the compiler reports these until you implement them:");
        for left in &scaffold.left {
            anstream::println!("  {left}");
        }
    }
    anstream::println!("next:");
    if from_sample {
        anstream::println!("  edit the contract in {}, then run: cargo martgen generate", scaffold.contracts);
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

/// Refuses a service that exists completely or in part.
fn ensure_new(tree: &Tree, name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', '\\', '.']) {
        return Ok(());
    }
    let manifests = ["core", "service"].map(|part| format!("services/{name}/{part}/Cargo.toml"));
    let is_complete = manifests.iter().all(|path| tree.path(path).is_file());
    if is_complete || tree.settings.fixture.iter().any(|fixture| fixture.service == name) {
        return Err(Failure::usage(
            format!("the service {name} already exists"),
            "extend its contract and run cargo martgen generate, or choose another name",
        ));
    }
    let folders = [format!("services/{name}"), format!("features/{name}")];
    if let Some(folder) = folders.iter().find(|folder| tree.path(folder).exists()) {
        return Err(Failure::usage(
            format!("{folder} exists, but is not a complete service"),
            format!("move it away, or remove it: cargo martgen remove-service {name}"),
        ));
    }
    Ok(())
}

/// Returns a finding for each generated operation that customers may call. The scaffolds do not record owners, so every customer
/// could read, change and delete the resources of all others.
fn unowned_resources(service: &Service, scaffold: &Scaffold) -> Vec<Finding> {
    let generated: Vec<&String> = scaffold.protobuf.iter().flat_map(|protobuf| &protobuf.methods).collect();
    let open = service.operations().filter(|operation| generated.contains(&&operation.method)).filter(
        |operation| matches!(&operation.auth, Auth::Roles(roles) if roles.iter().any(|role| role == "customer")),
    );
    open.map(|operation| {
        Finding::error(
            "no-owner",
            operation.place.clone(),
            format!("`{}` would give every customer access to the resources of all customers", operation.name),
            "the generated code does not check who owns a resource: let only admins call the operation, or make it public; or \
             change the resource's shape, for example by removing etag: its operations are not generated then, and you can \
             check the owner in them",
        )
    })
    .collect()
}

/// Returns the full names of the events that the command line requests, each with the name of its handler.
fn requested_events(name: &str, mart: &Mart, requested: &[String]) -> Result<Vec<(String, String)>> {
    let events: Vec<(&str, &Event)> = mart
        .services
        .iter()
        .flat_map(|service| service.events.iter().map(|event| (service.name.as_str(), event)))
        .collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for request in requested {
        let matching = |(service, event): &&(&str, &Event)| {
            event.full_name == *request || *request == format!("{service}.{}", event.name)
        };
        let Some((_, event)) = events.iter().find(matching) else {
            let known: Vec<String> =
                events.iter().map(|(service, event)| format!("{service}.{}", event.name)).collect();
            return Err(Failure::usage(
                format!("no service publishes {request}"),
                format!("published events: {}", known.join(", ")),
            ));
        };
        let handler = format!("{name}.{}", event.method.trim_start_matches("r#").replace('_', "-"));
        if !found.iter().any(|(known, _)| *known == event.full_name) {
            found.push((event.full_name.clone(), handler));
        }
    }
    Ok(found)
}
