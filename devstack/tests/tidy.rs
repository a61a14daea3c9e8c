//! Conventions of the repository that no compiler checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn root() -> PathBuf {
    devstack::root()
}

#[test]
fn adapters_do_not_import_each_other() {
    for service in devstack::service::all().expect("services") {
        let folder = root().join(format!("services/{service}/service/src/adapters"));
        // An adapter is a file or a folder. All may use the mappings in `proto` and `rows`, and `mod` lists them.
        let adapter = |file: &Path| {
            let below = file.strip_prefix(&folder).expect("below the folder");
            below
                .components()
                .next()
                .map(|first| PathBuf::from(first.as_os_str()).with_extension(""))
                .unwrap_or_default()
        };
        let files = rust_files(&folder);
        let names: BTreeSet<PathBuf> = files.iter().map(|file| adapter(file)).collect();
        let shared = ["proto", "rows", "mod"].map(PathBuf::from);
        for file in &files {
            let (source, own) = (std::fs::read_to_string(file).expect("readable"), adapter(file));
            for other in names.iter().filter(|name| **name != own && !shared.contains(name)).map(|name| name.display())
            {
                let own_level = [format!("use super::{other}"), format!("super::{other}::")];
                let above = [format!("adapters::{other}"), format!("super::super::{other}")];
                let is_nested = file.parent() != Some(folder.as_path());
                let uses = if is_nested { above.as_slice() } else { &[own_level, above].concat() };
                let found = uses.iter().find(|line| source.contains(*line));
                assert!(found.is_none() || own == Path::new("mod"), "{} imports the adapter {other}", file.display());
            }
        }
    }
}

#[test]
fn sql_has_no_numbered_parameters() {
    // The renderer itself, the statement that PostgreSQL composes for tests, and the script that replaces numbers by values.
    let exceptions = ["chassis/src/db/", "features/src/on_servers/age.rs", "bench/src/pgbench.rs"];
    let numbered = Regex::new(r"\$[0-9]").expect("valid");
    let mut checked = 0;
    for folder in ["chassis", "services", "features", "devstack/src", "bench", "template"] {
        for file in rust_files(&root().join(folder)) {
            let name = file.strip_prefix(root()).expect("below the root").display().to_string();
            let source = file.extension().is_some_and(|extension| extension == "rs" || extension == "txt");
            if !source || exceptions.iter().any(|exception| name.starts_with(exception)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("readable");
            for (line, number) in text.lines().zip(1..) {
                assert!(
                    !numbered.is_match(line),
                    "{name}:{number}: name the parameter with mart_chassis::sql! or a row struct: {line}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 200, "only {checked} files");
}

#[test]
fn chassis_and_kernel_have_no_business_terms() {
    let words = ["product", "products", "orders", "inventory", "payment", "customer", "catalog", "notification"];
    for folder in ["chassis/src", "chassis/migrations", "kernel/src"] {
        for file in rust_files(&root().join(folder)) {
            let source = std::fs::read_to_string(&file).expect("readable");
            // Unit tests may use real contracts as examples.
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let line_words = line.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
                for word in line_words {
                    assert!(!words.contains(&word.as_str()), "{}: {line}", file.display());
                }
            }
        }
    }
}

#[test]
fn main_rs_has_at_most_50_lines() {
    for service in devstack::service::all().expect("services") {
        let path = root().join(format!("services/{service}/service/src/main.rs"));
        let lines = std::fs::read_to_string(&path).expect("readable").lines().count();
        assert!(lines <= 50, "{} has {lines} lines", path.display());
    }
}

/// Asserts that a page documents every setting that a file reads by this pattern. Returns their number.
fn assert_documented(source: &str, pattern: &str, page: &str) -> usize {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("readable");
    let (source_text, page_text) = (read(source), read(page));
    let names = Regex::new(pattern).expect("a pattern");
    let names: Vec<&str> = names.captures_iter(&source_text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    for name in &names {
        assert!(page_text.contains(&format!("`{name}`")), "{source} reads {name}, but {page} does not document it");
    }
    names.len()
}

#[test]
fn every_setting_is_documented() {
    let shared = r#"(?:env\s*\.(?:required|parsed|duration|secret)|self\s*\.setting_or)\(\s*"([A-Z_]+)""#;
    let files = ["limits", "reader", "retries", "settings"].map(|file| format!("chassis/src/config/{file}.rs"));
    let found: usize = files.iter().map(|file| assert_documented(file, shared, "docs/settings.md")).sum();
    assert!(found > 15, "the pattern found {found} shared settings");
    let own = r#"\(\s*(?:env,\s*)?"([A-Z]+(?:_[A-Z]+)+)""#;
    let mut found = 0;
    for service in devstack::service::all().expect("services") {
        let folder = format!("services/{service}");
        found += assert_documented(&format!("{folder}/service/src/settings.rs"), own, &format!("{folder}/README.md"));
    }
    assert!(found > 40, "the pattern found {found} settings");
}

#[test]
fn no_file_names_a_registry_host_or_a_machines_folder() {
    let output = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output().expect("git");
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|name| !name.is_empty()) {
        let path = root().join(name);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if name.ends_with("Cargo.lock") || name.ends_with("tidy.rs") {
            continue;
        }
        for word in ["/root/", "/home/", "registry.npmjs", "repo1.maven", "files.pythonhosted", "proxy.golang"] {
            assert!(!text.contains(word), "{name} names {word}");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Returns every dependency with its features for a selection of packages.
fn features_of(selection: &[&str]) -> BTreeSet<String> {
    let words = ["tree", "--offline", "--all-features", "--prefix=none", "--format={p} [{f}]"];
    let cargo = Command::new("cargo").current_dir(root()).args(words).args(selection).output().expect("cargo");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let output = String::from_utf8_lossy(&cargo.stdout);
    let lines = output.lines().filter(|line| line.contains('['));
    lines.map(|line| line.trim_end_matches(" (*)").replace(" (proc-macro)", "")).collect()
}

#[test]
fn no_selection_of_packages_rebuilds_a_dependency() {
    let edges = "--edges=normal,build,dev";
    let whole = features_of(&["--workspace", edges]);
    for package in ["mart-kernel", "order-core", "order-service", "user-service", "notification-service", "martgen"] {
        let selected =
            features_of(&[edges, "--package=devstack", "--package=features", &format!("--package={package}")]);
        let rebuilt: Vec<&String> = selected.difference(&whole).collect();
        assert!(
            rebuilt.is_empty(),
            "selecting {package} rebuilds these dependencies: add their features to devstack/Cargo.toml {rebuilt:#?}"
        );
    }
}

#[test]
fn build_scripts_use_protoc_on_the_path_unless_it_is_too_old() {
    use std::os::unix::fs::PermissionsExt;

    let folder = root().join(format!("target/protoc-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let fake = folder.join("protoc");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a PATH"));
    let mut versions = Vec::new();
    // Debian's version, the first one that is new enough, a current one, and a broken program.
    for (version, status) in [("libprotoc 3.21.12", 0), ("libprotoc 22.0", 0), ("libprotoc 36.0", 0), ("", 1)] {
        std::fs::write(&fake, format!("#!/bin/sh\necho '{version}'\nexit {status}\n")).expect("written");
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).expect("a program");
        let output = Command::new(root().join("tools/protoc")).arg("--version").env("PATH", &path).output();
        versions.push(String::from_utf8(output.expect("it runs").stdout).expect("text").trim().to_owned());
    }
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(versions, ["libprotoc 36.2", "libprotoc 22.0", "libprotoc 36.0", "libprotoc 36.2"]);
}

/// Dependencies that are small enough to be built twice.
const SMALL: [&str; 4] = ["derive_more", "toml_datetime", "toml_parser", "winnow"];

#[test]
fn build_scripts_and_programs_share_their_dependencies() {
    let mut variants: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in features_of(&["--workspace", "--edges=normal,build"]) {
        let (package, features) = line.split_once(" [").expect("features");
        variants.entry(package.to_owned()).or_default().push(features.to_owned());
    }
    variants.retain(|package, features| features.len() > 1 && !SMALL.iter().any(|small| package.starts_with(small)));
    assert!(
        variants.is_empty(),
        "these are built once for build scripts and once for programs: add the features that build scripts lack to the \
         build-dependencies of proto/Cargo.toml, and those that programs lack to devstack/Cargo.toml {variants:#?}"
    );
}

/// A crate with `test = false` in its manifest is not built for unit tests, so that a unit test in it would never run.
#[test]
fn crates_with_test_false_have_no_unit_tests() {
    let words = ["metadata", "--no-deps", "--offline", "--format-version=1"];
    let metadata = Command::new("cargo").current_dir(root()).args(words).output().expect("cargo").stdout;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata).expect("JSON");
    let mut checked = 0;
    for package in metadata["packages"].as_array().expect("packages") {
        for target in package["targets"].as_array().expect("targets").iter().filter(|target| target["test"] == false) {
            let source = Path::new(target["src_path"].as_str().expect("a path"));
            let files = match target["kind"][0].as_str() {
                Some("lib") => rust_files(source.parent().expect("a folder")),
                Some("bin") => vec![source.to_owned()],
                _ => continue,
            };
            checked += 1;
            let bin = |file: &PathBuf| file.ends_with("main.rs") && target["kind"][0] == "lib";
            for file in files.iter().filter(|file| !bin(file)) {
                let text = std::fs::read_to_string(file).expect("readable");
                let tests = text.contains("#[test]") || text.contains("#[tokio::test]");
                assert!(
                    !tests,
                    "{} has tests: remove test = false from the manifest of {}",
                    file.display(),
                    package["name"]
                );
            }
        }
    }
    assert!(checked > 10, "only {checked} targets have test = false");
}

/// Words that are not used here, with better ones. Readers know the terms of the field, not those of one project.
const DIALECT: [(&[&str], &str); 8] = [
    (&["tell", "tells", "telling", "told"], "publish, return, report, notify, record or print"),
    (&["hear", "hears", "hearing", "heard"], "receive or consume"),
    (
        &["nobody", "somebody", "anybody", "everybody"],
        "no one, everyone, or the role: a user, a visitor, every consumer",
    ),
    (&["mend", "mends", "mended", "mending"], "fix"),
    (&["whoever", "whomever", "whatever", "oneself"], "the noun that it stands for"),
    (&["brake"], "throttle"),
    (&["sweep", "sweeps", "sweeping"], "background job"),
    (&["he", "his", "him", "himself"], "they, their, them, or the role"),
];

/// Exceptions: the beginning of the path, the word (empty for all) and the reason.
const EXCEPTIONS: [(&str, &str, &str); 2] =
    [("devstack/tests/tidy.rs", "", "this list"), ("docs/adr/0006-private-servers.md", "nobody", "the user of Debian")];

/// Returns the words of a line in lower case. Identifiers are split at underscores and capital letters.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for c in line.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && previous.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words.last_mut().expect("one at least").extend(c.to_lowercase());
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn identifiers_are_split_into_words() {
    assert_eq!(words("fn tell_placed(NotHeard: u8) // he's"), ["fn", "tell", "placed", "not", "heard", "u", "he", "s"]);
}

#[test]
fn files_contain_no_dialect_words() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git");
    let paths = String::from_utf8(listed.stdout).expect("UTF-8");
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for path in paths.split('\0').filter(|path| Path::new(path).extension().is_none_or(|name| name != "lock")) {
        // A deleted file is still listed, and pictures are not text.
        let Ok(text) = std::fs::read_to_string(root().join(path)) else { continue };
        for (line, number) in text.lines().chain([path]).zip(1..) {
            for word in words(line) {
                let Some((_, better)) = DIALECT.iter().find(|(words, _)| words.contains(&word.as_str())) else {
                    continue;
                };
                let exception = EXCEPTIONS
                    .iter()
                    .position(|(at, excepted, _)| path.starts_with(at) && (excepted.is_empty() || *excepted == word));
                match exception {
                    Some(nth) => drop(used.insert(nth)),
                    None => found.push(format!("{path}:{number}: `{word}`; better: {better}")),
                }
            }
        }
    }
    assert!(found.is_empty(), "write plain terms (or give a reason in EXCEPTIONS):\n{}", found.join("\n"));
    let unused: Vec<_> =
        EXCEPTIONS.iter().enumerate().filter(|(nth, _)| !used.contains(nth)).map(|(_, one)| one).collect();
    assert!(unused.is_empty(), "remove these exceptions, which are no longer needed: {unused:?}");
}
