//! Tests of `check --against`: changes that break clients of an earlier state of the contracts.

use std::process::Command;

use crate::copy::{Copy, repository};

const SERVICE: &str = "proto/mart/product/v1/product_service.proto";
const EVENTS: &str = "proto/mart/product/v1/product_events.proto";
const PRODUCT: &str = "proto/mart/product/v1/product.proto";

/// Creates a copy, commits it, and links the buf that `./mart test` has installed.
fn committed() -> Copy {
    let copy = Copy::new();
    for arguments in [&["init", "--quiet"][..], &["add", "-A"], &["commit", "--quiet", "-m", "before"]] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=mart", "-c", "user.email=mart@mart.example"]);
        git.args(arguments).current_dir(&copy.root);
        assert!(git.status().expect("it runs").success());
    }
    let tools = repository().join(".mart/parts");
    assert!(tools.is_dir(), "run this test with ./mart test martgen, which installs buf");
    std::fs::create_dir_all(copy.root.join(".mart")).expect("created");
    std::os::unix::fs::symlink(tools, copy.root.join(".mart/parts")).expect("linked");
    copy
}

#[test]
fn unchanged_and_added_definitions_break_nothing() {
    let copy = committed();
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert!(run.code == Some(0) && run.output.contains("no breaking changes"), "{}", run.output);
    copy.replace(
        PRODUCT,
        "string description = 5 [(buf.validate.field).string.max_len = 5000];",
        "string description = 5 [(buf.validate.field).string.max_len = 6000];\n  // Its colour.\n  string colour = 99;",
    );
    let text = copy.read(EVENTS);
    let more = "\n// A product was viewed.\nmessage ProductSeen {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v1\"\n    key: \"product.product_id\"\n  };\n  // The product.\n  Product product = 1;\n}\n";
    copy.write(EVENTS, &(text + more));
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[test]
fn breaks_are_reported_with_place_and_affected_services() {
    for (file, from, to, part) in [
        (
            SERVICE,
            "get: \"/v1/product-slugs/{slug}\"",
            "get: \"/v1/slugs/{slug}\"",
            "was GET /v1/product-slugs/{slug} and is GET /v1/slugs/{slug}",
        ),
        (
            SERVICE,
            "errors: [\"PRODUCT_NOT_FOUND\", \"PRODUCT_NOT_ACTIVE\"]",
            "errors: [\"PRODUCT_NOT_FOUND\"]",
            "ArchiveProduct no longer returns PRODUCT_NOT_ACTIVE",
        ),
        (SERVICE, "      creates: \"AdminGetProduct\"\n", "", "CreateProduct returns 200 instead of 201"),
        (
            SERVICE,
            "REASON_PRODUCT_NOT_FOUND = 1 [(mart.options.v1.status) = 404]",
            "REASON_PRODUCT_NOT_FOUND = 1 [(mart.options.v1.status) = 410]",
            "returned PRODUCT_NOT_FOUND with 404 and now returns it with 410",
        ),
        (
            PRODUCT,
            "string description = 5 [(buf.validate.field).string.max_len = 5000];",
            "string description = 5 [(buf.validate.field).string.max_len = 4000];",
            "Product.description accepts fewer values: string.max_len was 5000 and is 4000",
        ),
        (PRODUCT, "string category = 6 [(buf.validate.field).string.max_len = 100];", "int32 category = 6;", "FIELD_"),
        (
            EVENTS,
            "message ProductArchived {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v1\"",
            "message ProductArchived {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v2\"",
            "moves from the topic mart.product.v1 to mart.product.v2",
        ),
    ] {
        let copy = committed();
        copy.replace(file, from, to);
        let run = copy.run(&["check", "--against", "HEAD"]);
        assert_eq!(run.code, Some(1), "{part}: {}", run.output);
        assert!(run.output.contains("error[breaking]") && run.output.contains(part), "{part}: {}", run.output);
        // The fixture shelf consumes this service's events, too.
        assert!(run.output.contains("affected: product and its clients, inventory, order, shelf"), "{}", run.output);
    }
}

#[test]
fn a_newly_required_token_is_a_break() {
    let copy = committed();
    copy.replace(
        SERVICE,
        "{get: \"/v1/product-slugs/{slug}\"};\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_PUBLIC]",
        "{get: \"/v1/product-slugs/{slug}\"};\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_CUSTOMER]",
    );
    let run = copy.run(&["check", "--against", "HEAD"]);
    let what = "GetProductBySlug now rejects callers without a token";
    assert!(run.code == Some(1) && run.output.contains(what), "{}", run.output);
}

#[test]
fn a_removed_event_is_reported() {
    let copy = committed();
    // No service consumes this event.
    let events = "proto/mart/user/v1/user_events.proto";
    let text = copy.read(events);
    let start = text.find("// An admin enabled the account again.").expect("there");
    let end = start + text[start..].find("\n}\n").expect("its end") + 3;
    copy.write(events, &format!("{}{}", &text[..start], &text[end..]));
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert!(
        run.code == Some(1) && run.output.contains("the event UserEnabled is no longer published"),
        "{}",
        run.output
    );
}

#[test]
fn an_unknown_git_reference_is_refused() {
    let copy = committed();
    for reference in ["no-such-branch", "--output=x"] {
        let run = copy.run(&["check", &format!("--against={reference}")]);
        assert_eq!(run.code, Some(2), "{}", run.output);
        assert!(run.output.contains("git can't resolve"), "{}", run.output);
    }
}
