//! What breaks those who use an earlier state of the contracts.

use std::process::Command;

use crate::copy::{Copy, repository};

const SERVICE: &str = "proto/mart/product/v1/product_service.proto";
const EVENTS: &str = "proto/mart/product/v1/product_events.proto";
const PRODUCT: &str = "proto/mart/product/v1/product.proto";

/// A copy with its state committed, and with the buf that `./mart test` has brought.
fn committed() -> Copy {
    let copy = Copy::new();
    for words in [&["init", "--quiet"][..], &["add", "-A"], &["commit", "--quiet", "-m", "before"]] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=mart", "-c", "user.email=mart@mart.example"]).args(words).current_dir(&copy.root);
        assert!(git.status().expect("it runs").success());
    }
    let parts = repository().join(".mart/parts");
    assert!(parts.is_dir(), "run this test by ./mart test martgen, which brings buf");
    std::fs::create_dir_all(copy.root.join(".mart")).expect("made");
    std::os::unix::fs::symlink(parts, copy.root.join(".mart/parts")).expect("linked");
    copy
}

#[test]
fn what_stays_or_is_only_more_breaks_nobody() {
    let copy = committed();
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert!(run.code == Some(0) && run.told.contains("nothing breaks"), "{}", run.told);
    copy.replace(
        PRODUCT,
        "string description = 5 [(buf.validate.field).string.max_len = 5000];",
        "string description = 5 [(buf.validate.field).string.max_len = 6000];\n  // Its colour.\n  string colour = 99;",
    );
    let text = copy.read(EVENTS);
    let more = "\n// A product was seen.\nmessage ProductSeen {\n  option (mart.options.v1.event) = {\n    topic: \"mart.product.v1\"\n    key: \"product.product_id\"\n  };\n  // It.\n  Product product = 1;\n}\n";
    copy.write(EVENTS, &(text + more));
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert_eq!(run.code, Some(0), "{}", run.told);
}

#[test]
fn each_kind_of_break_is_told_with_its_place_and_whom_it_reaches() {
    for (file, from, to, told) in [
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
            "ArchiveProduct does not answer PRODUCT_NOT_ACTIVE any more",
        ),
        (SERVICE, "      creates: \"AdminGetProduct\"\n", "", "CreateProduct answers 200 instead of 201"),
        (
            SERVICE,
            "REASON_PRODUCT_NOT_FOUND = 1 [(mart.options.v1.status) = 404]",
            "REASON_PRODUCT_NOT_FOUND = 1 [(mart.options.v1.status) = 410]",
            "answered PRODUCT_NOT_FOUND with 404 and does with 410",
        ),
        (
            PRODUCT,
            "string description = 5 [(buf.validate.field).string.max_len = 5000];",
            "string description = 5 [(buf.validate.field).string.max_len = 4000];",
            "Product.description takes less: string.max_len was 5000 and is 4000",
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
        assert_eq!(run.code, Some(1), "{told}: {}", run.told);
        assert!(run.told.contains("error[breaking]") && run.told.contains(told), "{told}: {}", run.told);
        // The fixture reacts to this service's events.
        assert!(run.told.contains("affected: product and its clients, inventory, order, shelf"), "{}", run.told);
    }
}

#[test]
fn a_token_that_nobody_needed_before_is_a_break() {
    let copy = committed();
    copy.replace(
        SERVICE,
        "{get: \"/v1/product-slugs/{slug}\"};\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_PUBLIC]",
        "{get: \"/v1/product-slugs/{slug}\"};\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_CUSTOMER]",
    );
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert!(run.code == Some(1) && run.told.contains("GetProductBySlug refuses who has no token now"), "{}", run.told);
}

#[test]
fn an_event_and_an_operation_that_are_gone_are_told() {
    let copy = committed();
    // One that nobody reacts to.
    let events = "proto/mart/user/v1/user_events.proto";
    let text = copy.read(events);
    let start = text.find("// An admin gave it back.").expect("there");
    let end = start + text[start..].find("\n}\n").expect("its end") + 3;
    copy.write(events, &format!("{}{}", &text[..start], &text[end..]));
    let run = copy.run(&["check", "--against", "HEAD"]);
    assert!(
        run.code == Some(1) && run.told.contains("the event UserEnabled is not published any more"),
        "{}",
        run.told
    );
}

#[test]
fn a_reference_that_git_does_not_know_is_refused() {
    let copy = committed();
    for reference in ["no-such-branch", "--output=x"] {
        let run = copy.run(&["check", &format!("--against={reference}")]);
        assert_eq!(run.code, Some(2), "{}", run.told);
        assert!(run.told.contains("git knows no"), "{}", run.told);
    }
}
