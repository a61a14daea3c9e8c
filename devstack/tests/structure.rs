//! The structure that all services and crates share, as far as no compiler checks it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

/// The largest number of lines of a file. Generated files and lists of texts are exempt.
const LINES: usize = 400;

fn root() -> PathBuf {
    devstack::root()
}

/// Returns the Rust files below a folder, by their paths from it without the extension.
fn rust_files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            found.extend(rust_files(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(name, std::fs::read_to_string(&path).expect("readable"));
        }
    }
    found
}

fn services() -> Vec<String> {
    devstack::service::all().expect("services")
}

/// Returns the sources of all crates.
fn sources() -> Vec<PathBuf> {
    let mut folders: Vec<String> = [
        "chassis",
        "chassis/server",
        "kernel",
        "martgen",
        "devstack",
        "features",
        "features/mart",
        "features/shop",
        "bench",
    ]
    .map(|name| format!("{name}/src"))
    .into();
    for service in services() {
        folders.extend(["core", "service"].map(|part| format!("services/{service}/{part}/src")));
    }
    folders.into_iter().map(|folder| root().join(folder)).filter(|folder| folder.is_dir()).collect()
}

/// Returns the module of a file: `db/mod` and `db` are both `db`, `lib` and `main` are the empty one.
fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Returns the paths that a `use` or an expression names, each from the crate's root.
fn paths(text: &str, own: &[String]) -> Vec<Vec<String>> {
    let path =
        Regex::new(r"\b(crate|super|self)((?:::\w+)*)(?:::\{([^;{}]*(?:\{[^{}]*\}[^;{}]*)*)\})?").expect("valid");
    let nested = Regex::new(r"\{[^{}]*\}").expect("valid");
    let mut found = Vec::new();
    for one in path.captures_iter(text) {
        let mut base: Vec<String> = match &one[1] {
            "crate" => Vec::new(),
            "super" => own[..own.len().saturating_sub(1)].to_vec(),
            _ => own.to_vec(),
        };
        base.extend(one[2].split("::").filter(|part| !part.is_empty()).map(str::to_owned));
        let items = one.get(3).map(|items| nested.replace_all(items.as_str(), "").into_owned());
        for item in items.as_deref().unwrap_or_default().split(',') {
            let parts = item.trim().split("::").filter(|part| !part.is_empty() && *part != "self").map(str::to_owned);
            found.push(base.iter().cloned().chain(parts).collect());
        }
    }
    found
}

/// Returns a circle of modules that use each other, if there is one.
fn circle(uses: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Option<Vec<String>> {
    fn visit<'a>(
        uses: &'a BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
        module: &'a Vec<String>,
        path: &mut Vec<&'a Vec<String>>,
        done: &mut BTreeSet<&'a Vec<String>>,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|before| *before == module) {
            return Some(path[start..].iter().map(|module| module.join("/")).collect());
        }
        if !done.insert(module) {
            return None;
        }
        path.push(module);
        let found = uses.get(module).into_iter().flatten().find_map(|used| visit(uses, used, path, done));
        path.pop();
        found
    }
    uses.keys().find_map(|module| visit(uses, module, &mut Vec::new(), &mut BTreeSet::new()))
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for folder in sources() {
        let files = rust_files(&folder);
        let modules: BTreeSet<Vec<String>> = files.keys().map(|file| module(file)).collect();
        let mut uses: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
        for (file, text) in &files {
            let own = module(file);
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let code: String =
                code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
            for path in paths(&code, &own) {
                let used = (0..=path.len()).rev().map(|len| &path[..len]).find(|part| modules.contains(*part));
                // A module may use those that contain it, and lists those within it.
                if let Some(used) = used.filter(|used| !own.starts_with(used) && !used.starts_with(&own)) {
                    uses.entry(own.clone()).or_default().insert(used.to_vec());
                }
            }
        }
        let found = circle(&uses);
        assert!(
            found.is_none(),
            "{}: these files use each other in a circle; move what they share to a file of its own: {}",
            folder.display(),
            found.unwrap_or_default().join(" -> ")
        );
    }
}

#[test]
fn paths_are_found_in_nested_imports() {
    let own = ["db".to_owned(), "commit".to_owned()];
    let found =
        paths("use crate::{Record, db::{self, read}, sql};\nuse super::Database; crate::trace::within(x)", &own);
    let found: Vec<String> = found.into_iter().map(|path| path.join("/")).collect();
    assert_eq!(found, ["Record", "db", "sql", "db/Database", "trace/within"]);
}

#[test]
fn a_circle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let uses = |pairs: &[(&str, &str)]| {
        let mut uses: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
        for (from, to) in pairs {
            uses.entry(module(from)).or_default().insert(module(to));
        }
        uses
    };
    assert_eq!(circle(&uses(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    assert_eq!(circle(&uses(&[("a", "b"), ("b", "c"), ("c", "b")])), Some(vec!["b".to_owned(), "c".to_owned()]));
}

#[test]
fn all_cores_and_adapters_have_the_same_files() {
    let core = ["lib", "ports", "memory", "conformance", "domain/mod", "domain/events", "application/mod"];
    let service =
        ["lib", "main", "settings", "wiring", "adapters/mod", "adapters/events", "adapters/postgres", "adapters/proto"];
    for name in services() {
        for (part, wanted) in [("core", core.as_slice()), ("service", service.as_slice())] {
            let files = rust_files(&root().join(format!("services/{name}/{part}/src")));
            for file in wanted {
                assert!(files.contains_key(*file), "services/{name}/{part}/src/{file}.rs is missing");
            }
            if part == "service" {
                for file in ["http", "rows"] {
                    let found = [format!("adapters/{file}"), format!("adapters/{file}/mod")];
                    assert!(found.iter().any(|file| files.contains_key(file)), "{name} has no {}", found[0]);
                }
            }
        }
    }
}

#[test]
fn every_file_of_an_application_is_the_use_case_of_its_name() {
    let public = Regex::new(r"(?m)^    pub async fn (\w+)").expect("valid");
    let mut checked = 0;
    for name in services() {
        let folder = root().join(format!("services/{name}/core/src/application"));
        for (file, text) in rust_files(&folder) {
            let found: Vec<&str> = public.captures_iter(&text).filter_map(|one| Some(one.get(1)?.as_str())).collect();
            let expected: Vec<&str> = if file == "mod" { Vec::new() } else { vec![file.as_str()] };
            assert_eq!(found, expected, "the use cases of services/{name}/core/src/application/{file}.rs");
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} use cases");
}

#[test]
fn errors_of_cores_have_a_text() {
    let error = Regex::new(r"(?m)^((?:#\[.*\]\n)*)pub (?:enum|struct) (\w*Error)\b").expect("valid");
    let mut checked = 0;
    for name in services() {
        for (file, text) in rust_files(&root().join(format!("services/{name}/core/src"))) {
            for one in error.captures_iter(&text) {
                assert!(one[1].contains("thiserror::Error"), "{name}, {file}: {} derives thiserror::Error", &one[2]);
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} errors");
}

#[test]
fn no_file_has_more_lines_than_a_person_reads_at_once() {
    for folder in sources() {
        for (file, text) in rust_files(&folder).into_iter().filter(|(file, _)| !file.contains("generated")) {
            let lines = text.lines().count();
            assert!(
                lines <= LINES,
                "{}/{file}.rs has {lines} lines: split it into parts of at most {LINES}",
                folder.display()
            );
        }
    }
}

#[test]
fn files_that_documents_name_exist() {
    let named = Regex::new(r"`((?:services|chassis|kernel|devstack|martgen|features|core|service)/[\w/.-]+\.\w+)`")
        .expect("valid");
    let mut documents: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "AGENTS.md"].map(|name| root().join(name)).into();
    for folder in ["docs", "docs/adr"] {
        documents.extend(std::fs::read_dir(root().join(folder)).expect("readable").flatten().map(|entry| entry.path()));
    }
    documents.extend(services().iter().map(|name| root().join(format!("services/{name}/README.md"))));
    let mut checked = 0;
    for document in documents.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(document).expect("readable");
        let own = document.parent().expect("a folder");
        for one in named.captures_iter(&text) {
            let exists = [root(), own.to_owned()].iter().any(|folder| folder.join(&one[1]).exists());
            assert!(exists, "{} names {}, which does not exist", document.display(), &one[1]);
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} names");
}
