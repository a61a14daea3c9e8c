//! Tests of `generate`, `check`, `waive` and `graph`: which files are written, which are kept, and that a run is atomic.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::copy::{Copy, PROGRAM, repository};

const HTTP: &str = "services/product/service/src/generated/http.rs";
const EVENTS: &str = "services/product/service/src/generated/events.rs";
const MAIN: &str = "services/product/service/src/main.rs";
const SERVICE_PROTO: &str = "proto/mart/product/v1/product_service.proto";
const EVENTS_PROTO: &str = "proto/mart/product/v1/product_events.proto";

/// Adds the event ProductSeen to the contract.
fn add_an_event(copy: &Copy) {
    let more = "\n// A product was viewed.\nmessage ProductSeen {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v1\"\n    key: \"product.product_id\"\n  };\n  // The product.\n  Product product = 1;\n}\n";
    let text = copy.read(EVENTS_PROTO);
    copy.write(EVENTS_PROTO, &(text + more));
}

#[test]
fn this_repository_is_up_to_date_with_its_contracts() {
    let done = Command::new(PROGRAM).args(["check", "--root"]).arg(repository()).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "run cargo martgen generate\n{stderr}");
}

#[test]
fn files_are_rendered_byte_for_byte_without_a_lock() {
    let copy = Copy::new();
    let before = copy.contents();
    for path in [HTTP, EVENTS, MAIN, "services/product/Dockerfile", "chassis/tests/shelf/src/generated/events.rs"] {
        std::fs::remove_file(copy.root.join(path)).expect("removed");
    }
    std::fs::remove_file(copy.root.join("martgen.lock")).expect("removed");
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    // Only the lock lists scaffold files, so those lines are lost.
    let without_scaffolds = |mut contents: BTreeMap<String, String>| {
        let lock = contents.remove("martgen.lock").unwrap_or_default();
        let kept: Vec<&str> = lock.lines().filter(|line| !line.starts_with("scaffold\t")).collect();
        contents.insert("martgen.lock".to_owned(), kept.join("\n"));
        contents
    };
    assert_eq!(without_scaffolds(copy.contents()), without_scaffolds(before));
}

#[test]
fn a_second_run_writes_nothing() {
    let copy = Copy::new();
    add_an_event(&copy);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let before = copy.files();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(0));
    assert!(run.output.contains("up to date"), "{}", run.output);
    assert_eq!(copy.files(), before);
}

#[test]
fn an_added_event_is_generated_and_removed_without_leftovers() {
    let copy = Copy::new();
    let before = copy.contents();
    add_an_event(&copy);
    let run = copy.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.output.contains("error[stale]") && run.output.contains(EVENTS), "{}", run.output);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let events = copy.read(EVENTS);
    assert!(events.contains("fn product_seen(event: &events::ProductSeen) -> v1::ProductSeen;"), "{events}");
    assert!(events.contains("ProductEvent::ProductSeen(payload) => "), "{events}");
    assert_eq!(copy.read(HTTP), before[HTTP], "operations have not changed");

    copy.write(EVENTS_PROTO, &before[EVENTS_PROTO]);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    assert_eq!(copy.contents(), before);
}

#[test]
fn generated_bytes_do_not_depend_on_the_current_folder() {
    let copy = Copy::new();
    add_an_event(&copy);
    let done = Command::new(PROGRAM)
        .arg("generate")
        .current_dir(copy.root.join("services/product/service"))
        .output()
        .expect("it runs");
    assert_eq!(done.status.code(), Some(0));
    let other = Copy::new();
    add_an_event(&other);
    assert_eq!(other.run(&["generate"]).code, Some(0));
    assert_eq!(copy.contents(), other.contents());
}

#[test]
fn previews_and_checks_write_nothing() {
    let copy = Copy::new();
    add_an_event(&copy);
    let before = copy.files();
    for (arguments, code) in [
        (["generate", "--dry-run"], 0),
        (["generate", "--diff"], 0),
        (["generate", "--check"], 1),
        (["check", "--json"], 1),
    ] {
        let run = copy.run(&arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.output);
        assert!(run.output.contains(EVENTS), "{arguments:?}: {}", run.output);
        assert_eq!(copy.files(), before, "{arguments:?}");
    }
    assert!(!copy.root.join(".mart").exists());
    assert!(copy.run(&["generate", "--diff"]).output.contains("+    fn product_seen("));
}

#[test]
fn edited_generated_files_are_reported_and_others_written() {
    let copy = Copy::new();
    copy.replace(EVENTS, "/// The topics that this service owns.", "/// Edited.");
    copy.replace(SERVICE_PROTO, "  // Returns a product on sale.\n", "  // Returns one product on sale.\n");
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(1));
    assert!(run.output.contains("error[edited]") && run.output.contains("+/// Edited."), "{}", run.output);
    assert!(copy.read(EVENTS).contains("/// Edited."));
    assert!(copy.read(HTTP).contains("/// Returns one product on sale."));
    assert_eq!(copy.run(&["check"]).code, Some(1));

    let run = copy.run(&["waive", EVENTS, "--reason", "because"]);
    assert_eq!(run.code, Some(2), "a generated file can't be waived: {}", run.output);
    assert_eq!(copy.run(&["generate", "--overwrite"]).code, Some(0));
    assert!(!copy.read(EVENTS).contains("/// Edited."));
    assert_eq!(copy.run(&["check"]).code, Some(0));
}

#[test]
fn a_waiver_keeps_an_edited_file_until_its_template_changes() {
    let copy = Copy::new();
    let run = copy.run(&["waive", MAIN, "--reason", "nothing to waive"]);
    assert_eq!(run.code, Some(2), "{}", run.output);
    copy.replace(MAIN, "Serve until SIGTERM, then shut down gracefully.", "Serve on two ports.");
    assert_eq!(copy.run(&["generate"]).code, Some(1));
    assert_eq!(copy.run(&["waive", MAIN, "--reason", " "]).code, Some(2), "a reason is required");
    assert_eq!(copy.run(&["waive", MAIN, "--reason", "It serves\ntwo ports."]).code, Some(0));
    assert!(copy.read("martgen.waivers").contains("\tIt serves two ports."));
    assert_eq!(copy.run(&["check"]).code, Some(0));
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    assert!(copy.read(MAIN).contains("Serve on two ports."));

    let text = copy.read("martgen.waivers");
    let digest = text.lines().last().and_then(|line| line.split('\t').nth(1)).expect("a digest").to_owned();
    copy.write("martgen.waivers", &text.replace(&digest, &"0".repeat(32)));
    let run = copy.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.output.contains("error[waiver]"), "{}", run.output);
    let run = copy.run(&["generate"]);
    assert!(
        run.output.contains("It serves two ports.") && run.output.contains("+    /// Serve on two ports."),
        "{}",
        run.output
    );
}

#[test]
fn orphans_are_removed_unless_edited() {
    let copy = Copy::new();
    let orphan = "services/product/service/src/generated/old.rs";
    let entry = "generated\tc4e9d4e5aa4ac0a4\tc4e9d4e5aa4ac0a4\tservices/product/service/src/generated/old.rs\tx\n";
    copy.write(orphan, "old");
    let lock = copy.read("martgen.lock");
    copy.write("martgen.lock", &(lock.clone() + entry));
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(1), "{}", run.output);
    assert!(run.output.contains("error[orphan]"), "{}", run.output);
    assert!(copy.root.join(orphan).exists());
    assert_eq!(copy.run(&["generate", "--overwrite"]).code, Some(0));
    assert!(!copy.root.join(orphan).exists());
    assert_eq!(copy.read("martgen.lock"), lock);
}

#[test]
fn a_killed_run_is_undone_or_finished_by_the_next_run() {
    let changed = || {
        let copy = Copy::new();
        add_an_event(&copy);
        copy.replace(SERVICE_PROTO, "  // Returns a product on sale.\n", "  // Returns one product on sale.\n");
        std::fs::remove_file(copy.root.join(MAIN)).expect("removed");
        copy
    };
    let complete = changed();
    assert_eq!(complete.run(&["generate"]).code, Some(0));
    let after = complete.contents();
    for step in 1.. {
        let copy = changed();
        let before = copy.contents();
        let run = copy.run_killed_at(step, &["generate"]);
        if run.code.is_some() {
            assert!(step > 8, "only {step} kill points: is the program a debug build?");
            break;
        }
        let committed = copy.root.join(".mart/martgen/journal").exists();
        assert!(
            committed || copy.contents() == before || copy.contents() == after,
            "the kill at point {step} left the tree half changed"
        );
        if committed {
            let run = copy.run(&["check"]);
            assert!(run.output.contains("error[interrupted]"), "{}", run.output);
        }
        assert_eq!(copy.run(&["generate"]).code, Some(0), "kill point {step}");
        assert_eq!(copy.contents(), after, "kill point {step}");
    }
}

#[test]
fn a_read_only_file_prevents_the_whole_run() {
    let copy = Copy::new();
    add_an_event(&copy);
    copy.replace(SERVICE_PROTO, "  // Returns a product on sale.\n", "  // Returns one product on sale.\n");
    std::fs::set_permissions(copy.root.join(HTTP), std::fs::Permissions::from_mode(0o444)).expect("set");
    let before = copy.files();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3), "{}", run.output);
    assert!(run.output.contains(HTTP) && run.output.contains("read-only"), "{}", run.output);
    assert_eq!(copy.files(), before);
}

#[test]
fn a_failed_change_undoes_those_before_it() {
    let copy = Copy::new();
    let contract = "chassis/tests/shelf/proto/mart/shelf/v1/shelf_service.proto";
    copy.replace(contract, "ProductUpdated", "ProductArchived");
    copy.replace(contract, "shelf.product-updated", "shelf.product-archived");
    let folder = copy.root.join("services/product/service/src/generated");
    std::fs::remove_dir_all(&folder).expect("removed");
    std::fs::write(&folder, "a file where a folder should be").expect("written");
    let before = copy.contents();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3), "{}", run.output);
    assert!(run.output.contains("services/product/service/src/generated"), "{}", run.output);
    assert_eq!(copy.contents(), before);
    assert!(!copy.root.join(".mart/martgen/journal").exists());

    std::fs::remove_file(&folder).expect("removed");
    assert_eq!(copy.run(&["generate"]).code, Some(0));
}

#[test]
fn an_invalid_lock_and_a_missing_tree_are_refused_with_help() {
    let copy = Copy::new();
    let lock = copy.read("martgen.lock");
    copy.write("martgen.lock", &format!("<<<<<<< HEAD\n{lock}"));
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(2));
    assert!(run.output.contains("martgen.lock:1") && run.output.contains("merge"), "{}", run.output);

    let empty = tempfile::tempdir().expect("a folder");
    let done = Command::new(PROGRAM).arg("check").current_dir(&empty).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("there is no martgen.toml"));
}

#[test]
fn a_tree_with_other_templates_is_refused() {
    let copy = Copy::new();
    copy.write("template/managed/main.rs.txt", "fn main() {}\n");
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3));
    assert!(run.output.contains("other templates"), "{}", run.output);
}

#[test]
fn the_architecture_shows_the_graph_of_events() {
    let page = std::fs::read_to_string(repository().join("docs/ARCHITECTURE.md")).expect("readable");
    let shown = page.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    let graph = Copy::new().run(&["graph"]).output;
    assert_eq!(shown, graph, "replace the picture of docs/ARCHITECTURE.md by the output of `cargo martgen graph`");
}

#[test]
fn the_graph_of_events_has_three_formats() {
    let copy = Copy::new();
    let mermaid = copy.run(&["graph"]).output;
    assert!(mermaid.contains("product -- \"ProductCreated<br/>ProductUpdated<br/>"), "{mermaid}");
    assert!(!mermaid.contains("shelf"), "a fixture is shown: {mermaid}");
    let dot = copy.run(&["graph", "--format", "dot"]).output;
    assert!(dot.contains("\"product\" -> \"order\" [label=\"ProductCreated\\nProductUpdated\\n"), "{dot}");
    let json: serde_json::Value = serde_json::from_str(&copy.run(&["graph", "--format", "json"]).output).expect("JSON");
    let services = json["services"].as_array().expect("a list");
    let handlers = services.iter().flat_map(|service| service["consumes"].as_array().into_iter().flatten());
    assert!(handlers.into_iter().any(|consumed| consumed["handler"] == "shelf.product-created"), "{json}");
    assert!(copy.run(&["completions", "bash"]).output.contains("cargo-martgen"));
}
