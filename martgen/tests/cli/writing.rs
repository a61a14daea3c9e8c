//! What is written, what is left alone, and that it is all or nothing.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::copy::{Copy, PROGRAM, repository};

const HTTP: &str = "services/product/service/src/generated/http.rs";
const EVENTS: &str = "services/product/service/src/generated/events.rs";
const MAIN: &str = "services/product/service/src/main.rs";
const SERVICE_PROTO: &str = "proto/mart/product/v1/product_service.proto";
const EVENTS_PROTO: &str = "proto/mart/product/v1/product_events.proto";

/// An event more, and its contract's name.
fn add_an_event(copy: &Copy) {
    let more = "\n// A product was looked at.\nmessage ProductSeen {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v1\"\n    key: \"product.product_id\"\n  };\n  // The product.\n  Product product = 1;\n}\n";
    let text = copy.read(EVENTS_PROTO);
    copy.write(EVENTS_PROTO, &(text + more));
}

#[test]
fn this_repository_is_what_its_contracts_say() {
    let done = Command::new(PROGRAM).args(["check", "--root"]).arg(repository()).output().expect("it runs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "run cargo martgen generate\n{told}");
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
    // Only the lock knew which files were scaffolds; nothing depends on that but the preview of a removal.
    let without_seeds = |mut contents: BTreeMap<String, String>| {
        let lock = contents.remove("martgen.lock").unwrap_or_default();
        let kept: Vec<&str> = lock.lines().filter(|line| !line.starts_with("scaffold\t")).collect();
        contents.insert("martgen.lock".to_owned(), kept.join("\n"));
        contents
    };
    assert_eq!(without_seeds(copy.contents()), without_seeds(before));
}

#[test]
fn a_second_run_writes_nothing_and_touches_no_time() {
    let copy = Copy::new();
    add_an_event(&copy);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let before = copy.files();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(0));
    assert!(run.told.contains("everything is as the contracts say"), "{}", run.told);
    assert_eq!(copy.files(), before);
}

#[test]
fn an_added_event_is_generated_and_removed_without_leftovers() {
    let copy = Copy::new();
    let before = copy.contents();
    add_an_event(&copy);
    let run = copy.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.told.contains("error[stale]") && run.told.contains(EVENTS), "{}", run.told);
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
fn the_same_bytes_come_from_every_folder_of_the_tree() {
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
fn nothing_is_written_by_those_who_only_look() {
    let copy = Copy::new();
    add_an_event(&copy);
    let before = copy.files();
    for (words, code) in [
        (["generate", "--dry-run"], 0),
        (["generate", "--diff"], 0),
        (["generate", "--check"], 1),
        (["check", "--json"], 1),
    ] {
        let run = copy.run(&words);
        assert_eq!(run.code, Some(code), "{words:?}: {}", run.told);
        assert!(run.told.contains(EVENTS), "{words:?}: {}", run.told);
        assert_eq!(copy.files(), before, "{words:?}");
    }
    assert!(!copy.root.join(".mart").exists());
    assert!(copy.run(&["generate", "--diff"]).told.contains("+    fn product_seen("));
}

#[test]
fn a_generated_file_that_somebody_edited_is_shown_and_left_alone_and_the_others_are_written() {
    let copy = Copy::new();
    copy.replace(EVENTS, "/// The topics that this service owns.", "/// Edited.");
    copy.replace(SERVICE_PROTO, "  // Reads a product on sale.\n", "  // Reads one product on sale.\n");
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(1));
    assert!(run.told.contains("error[edited]") && run.told.contains("+/// Edited."), "{}", run.told);
    assert!(copy.read(EVENTS).contains("/// Edited."));
    assert!(copy.read(HTTP).contains("/// Reads one product on sale."));
    assert_eq!(copy.run(&["check"]).code, Some(1));

    let run = copy.run(&["waive", EVENTS, "--reason", "because"]);
    assert_eq!(run.code, Some(2), "a generated file can't be waived: {}", run.told);
    assert_eq!(copy.run(&["generate", "--overwrite"]).code, Some(0));
    assert!(!copy.read(EVENTS).contains("/// Edited."));
    assert_eq!(copy.run(&["check"]).code, Some(0));
}

#[test]
fn a_waiver_keeps_an_edited_managed_file_until_its_template_changes() {
    let copy = Copy::new();
    let run = copy.run(&["waive", MAIN, "--reason", "nothing to waive"]);
    assert_eq!(run.code, Some(2), "{}", run.told);
    copy.replace(MAIN, "Serve until SIGTERM, then shut down gracefully.", "Serve on two ports.");
    assert_eq!(copy.run(&["generate"]).code, Some(1));
    assert_eq!(copy.run(&["waive", MAIN, "--reason", " "]).code, Some(2), "a reason is asked for");
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
    assert!(run.told.contains("error[waiver]"), "{}", run.told);
    let run = copy.run(&["generate"]);
    assert!(
        run.told.contains("It serves two ports.") && run.told.contains("+    /// Serve on two ports."),
        "{}",
        run.told
    );
}

#[test]
fn what_nothing_asks_for_any_more_is_removed_unless_somebody_edited_it() {
    let copy = Copy::new();
    let orphan = "services/product/service/src/generated/old.rs";
    let entry = "generated\tc4e9d4e5aa4ac0a4\tc4e9d4e5aa4ac0a4\tservices/product/service/src/generated/old.rs\tx\n";
    copy.write(orphan, "old");
    let lock = copy.read("martgen.lock");
    copy.write("martgen.lock", &(lock.clone() + entry));
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(1), "{}", run.told);
    assert!(run.told.contains("error[orphan]"), "{}", run.told);
    assert!(copy.root.join(orphan).exists());
    assert_eq!(copy.run(&["generate", "--overwrite"]).code, Some(0));
    assert!(!copy.root.join(orphan).exists());
    assert_eq!(copy.read("martgen.lock"), lock);
}

#[test]
fn killed_after_any_single_write_the_tree_is_as_before_or_is_finished_by_the_next_run() {
    let changed = || {
        let copy = Copy::new();
        add_an_event(&copy);
        copy.replace(SERVICE_PROTO, "  // Reads a product on sale.\n", "  // Reads one product on sale.\n");
        std::fs::remove_file(copy.root.join(MAIN)).expect("removed");
        copy
    };
    let whole = changed();
    assert_eq!(whole.run(&["generate"]).code, Some(0));
    let after = whole.contents();
    for step in 1.. {
        let copy = changed();
        let before = copy.contents();
        let run = copy.run_killed_at(step, &["generate"]);
        if run.code.is_some() {
            assert!(step > 8, "only {step} steps: is the program a debug build?");
            break;
        }
        let decided = copy.root.join(".mart/martgen/journal").exists();
        assert!(decided || copy.contents() == before || copy.contents() == after, "step {step} left a part");
        if decided {
            let run = copy.run(&["check"]);
            assert!(run.told.contains("error[interrupted]"), "{}", run.told);
        }
        assert_eq!(copy.run(&["generate"]).code, Some(0), "step {step}");
        assert_eq!(copy.contents(), after, "step {step}");
    }
}

#[test]
fn a_read_only_file_is_respected_and_nothing_is_written() {
    let copy = Copy::new();
    add_an_event(&copy);
    copy.replace(SERVICE_PROTO, "  // Reads a product on sale.\n", "  // Reads one product on sale.\n");
    std::fs::set_permissions(copy.root.join(HTTP), std::fs::Permissions::from_mode(0o444)).expect("set");
    let before = copy.files();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3), "{}", run.told);
    assert!(run.told.contains(HTTP) && run.told.contains("read-only"), "{}", run.told);
    assert_eq!(copy.files(), before);
}

#[test]
fn where_one_change_can_not_be_made_those_before_it_are_undone() {
    let copy = Copy::new();
    copy.replace("chassis/tests/shelf/proto/mart/shelf/v1/shelf_service.proto", "ProductUpdated", "ProductArchived");
    let folder = copy.root.join("services/product/service/src/generated");
    std::fs::remove_dir_all(&folder).expect("removed");
    std::fs::write(&folder, "a file where a folder should be").expect("written");
    let before = copy.contents();
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3), "{}", run.told);
    assert!(run.told.contains("services/product/service/src/generated"), "{}", run.told);
    assert_eq!(copy.contents(), before);
    assert!(!copy.root.join(".mart/martgen/journal").exists());

    std::fs::remove_file(&folder).expect("removed");
    assert_eq!(copy.run(&["generate"]).code, Some(0));
}

#[test]
fn a_lock_with_marks_of_a_merge_and_a_tree_without_martgen_are_refused_in_words() {
    let copy = Copy::new();
    let lock = copy.read("martgen.lock");
    copy.write("martgen.lock", &format!("<<<<<<< HEAD\n{lock}"));
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(2));
    assert!(run.told.contains("martgen.lock:1") && run.told.contains("merge"), "{}", run.told);

    let empty = tempfile::tempdir().expect("a folder");
    let done = Command::new(PROGRAM).arg("check").current_dir(&empty).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("there is no martgen.toml"));
}

#[test]
fn other_templates_than_those_it_was_built_from_are_refused() {
    let copy = Copy::new();
    copy.write("template/managed/main.rs.txt", "fn main() {}\n");
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(3));
    assert!(run.told.contains("other templates"), "{}", run.told);
}

#[test]
fn the_graph_of_events_has_three_formats() {
    let copy = Copy::new();
    let mermaid = copy.run(&["graph"]).told;
    assert!(mermaid.contains("product -- \"ProductCreated<br/>ProductUpdated<br/>"), "{mermaid}");
    assert!(!mermaid.contains("shelf"), "a fixture is shown: {mermaid}");
    let dot = copy.run(&["graph", "--format", "dot"]).told;
    assert!(dot.contains("\"product\" -> \"order\" [label=\"ProductCreated\\nProductUpdated\\n"), "{dot}");
    let json: serde_json::Value = serde_json::from_str(&copy.run(&["graph", "--format", "json"]).told).expect("JSON");
    let services = json["services"].as_array().expect("a list");
    let handlers = services.iter().flat_map(|service| service["consumes"].as_array().into_iter().flatten());
    assert!(handlers.into_iter().any(|consumed| consumed["handler"] == "shelf.product-created"), "{json}");
    assert!(copy.run(&["completions", "bash"]).told.contains("cargo-martgen"));
}
