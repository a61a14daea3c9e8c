//! Tests of `new-service` and `remove-service`.

use crate::copy::{Copy, repository};

const CONTRACT: &str = "proto/mart/review/v1/review_service.proto";

#[test]
fn remove_service_undoes_new_service() {
    let copy = Copy::new();
    let before = copy.contents();
    let created = copy.run(&["new-service", "review", "--consumes", "product.ProductArchived"]);
    assert_eq!(created.code, Some(0), "{}", created.output);
    for part in [
        "created review from a sample contract",
        "scaffold files",
        "2 managed files",
        "4 generated files",
        "services/review/core/src/domain/review.rs",
        "./mart call POST /v1/reviews '{\"name\"",
        "undo: cargo martgen remove-service review",
    ] {
        assert!(created.output.contains(part), "{part}: {}", created.output);
    }
    assert!(copy.read(CONTRACT).contains("event: \"mart.product.v1.ProductArchived\""));
    let check = copy.run(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.output);
    assert!(copy.run(&["generate"]).output.contains("up to date"));

    let kept = copy.contents();
    let preview = copy.run(&["remove-service", "review", "--dry-run"]);
    assert!(preview.output.contains("would remove services/review/core/src/ports.rs"), "{}", preview.output);
    assert_eq!(copy.contents(), kept, "a preview removes nothing");
    let removed = copy.run(&["remove-service", "review"]);
    assert_eq!(removed.code, Some(0), "{}", removed.output);
    for part in ["drop database review", "--delete --topic mart.review.v1", "--delete --group review"] {
        assert!(removed.output.contains(part), "{part}: {}", removed.output);
    }
    assert_eq!(copy.contents(), before);
}

#[test]
fn previews_of_a_new_service_write_nothing() {
    let copy = Copy::new();
    let before = copy.contents();
    let run = copy.run(&["new-service", "review", "--dry-run", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.output).expect("one document");
    let kinds: Vec<&str> =
        document["files"].as_array().expect("files").iter().filter_map(|file| file["kind"].as_str()).collect();
    for kind in ["scaffold", "managed", "generated"] {
        assert!(kinds.contains(&kind), "{kind}: {}", run.output);
    }
    assert_eq!((&document["written"], &document["left"]), (&serde_json::json!(false), &serde_json::json!([])));
    assert!(copy.run(&["new-service", "review", "--diff"]).output.contains("+++ b/services/review/core/src/ports.rs"));
    assert_eq!(copy.contents(), before);
}

#[test]
fn a_killed_new_service_is_undone_or_finished_by_the_next_run() {
    let after = {
        let copy = Copy::new();
        assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
        copy.contents()
    };
    let mut step = 1;
    loop {
        let copy = Copy::new();
        let before = copy.contents();
        if copy.run_killed_at(step, &["new-service", "review"]).code.is_some() {
            assert!(step > 90, "there were only {step} kill points");
            break;
        }
        // After the journal's commit the service is created completely; before it nothing has changed.
        copy.run(&["generate"]);
        let found = copy.contents();
        assert!(found == after || found == before, "killed at point {step}");
        step += 9;
    }
}

#[test]
fn invalid_names_have_specific_errors_and_suggestions() {
    let copy = Copy::new();
    let before = copy.contents();
    let long = "a".repeat(300);
    for (name, what, help) in [
        ("", "a service needs a name", "try review"),
        ("  ", "a service needs a name", "try review"),
        ("Review", "has upper-case letters", "try review"),
        ("gift card", "has white space", "try gift_card"),
        ("gift-card", "has a hyphen", "try gift_card"),
        ("_gift", "does not separate two words", "try gift"),
        ("gift__card", "does not separate two words", "try gift_card"),
        ("gift_", "does not separate two words", "try gift"),
        ("2fast", "begins with a digit", "try fast"),
        ("straße", "has `ß`", "try stra_e"),
        ("match", "is a keyword of Rust", "try match_desk"),
        ("self", "is a keyword of Rust", "try self_desk"),
        ("core", "is reserved", "try core_desk"),
        ("test", "is reserved", "try test_desk"),
        ("mart", "is reserved", "try mart_desk"),
        ("tokio", "is the name of a crate in use", "try tokio_desk"),
        ("../order", "is a path", "try order"),
        ("a/b", "is a path", "try a_b"),
        (long.as_str(), "300 characters is too long", "try aaaa"),
        ("product", "the service product already exists", "choose another name"),
        ("shelf", "the service shelf already exists", "choose another name"),
    ] {
        let run = copy.run(&["new-service", name]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.output);
        assert!(run.output.contains(what) && run.output.contains(help), "{name}: {}", run.output);
    }
    copy.write("services/parcel/README.md", "half a service\n");
    let run = copy.run(&["new-service", "parcel"]);
    assert!(run.code == Some(2) && run.output.contains("is not a complete service"), "{}", run.output);
    std::fs::remove_dir_all(copy.root.join("services/parcel")).expect("removed");
    assert_eq!(copy.contents(), before);
}

#[test]
fn resources_that_customers_can_call_are_refused() {
    let copy = Copy::new();
    let contract =
        std::fs::read_to_string(repository().join("martgen/tests/fixtures/voucher.proto")).expect("a fixture");
    let admins = "  rpc GetVoucher(GetVoucherRequest) returns (GetVoucherResponse) {\n    option (google.api.http) = \
                  {get: \"/v1/vouchers/{voucher_id}\"};\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_ADMIN]";
    assert!(contract.contains(admins), "the fixture has changed");
    let customers = admins.replace("[AUTH_ADMIN]", "[AUTH_ADMIN, AUTH_CUSTOMER]");
    copy.write("proto/mart/voucher/v1/voucher.proto", &contract.replace(admins, &customers));
    let before = copy.contents();
    let run = copy.run(&["new-service", "voucher"]);
    assert_eq!(run.code, Some(2), "{}", run.output);
    assert!(
        run.output.contains("no-owner") && run.output.contains("`GetVoucher` would give every customer access"),
        "{}",
        run.output
    );
    assert!(run.output.contains("proto/mart/voucher/v1/voucher.proto:40"), "{}", run.output);
    assert_eq!(copy.contents(), before, "nothing is written");
}

#[test]
fn an_unknown_event_is_refused_with_the_known_ones() {
    let copy = Copy::new();
    let run = copy.run(&["new-service", "review", "--consumes", "product.ProductEaten"]);
    assert_eq!(run.code, Some(2));
    assert!(run.output.contains("no service publishes product.ProductEaten"), "{}", run.output);
    assert!(run.output.contains("product.ProductArchived"), "{}", run.output);
}

#[test]
fn a_service_with_consumers_cannot_be_removed() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let rating = copy.run(&["new-service", "rating", "--consumes", "review.ReviewCreated"]);
    assert_eq!(rating.code, Some(0), "{}", rating.output);
    let before = copy.contents();
    let refused = copy.run(&["remove-service", "review"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.output.contains("consumed by rating (ReviewCreated)"), "{}", refused.output);
    assert_eq!(copy.contents(), before);
    assert_eq!(copy.run(&["remove-service", "rating"]).code, Some(0));
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
}

#[test]
fn removal_needs_force_for_edits_and_keeps_older_contracts() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    copy.write("services/review/core/src/domain/stars.rs", "// mine\n");
    copy.replace("services/review/README.md", "# review", "# Reviews of products");
    copy.replace("proto/mart/product/v1/product.proto", "// A product of the catalog.", "// A product of the mart.");
    let before = copy.contents();
    let refused = copy.run(&["remove-service", "review"]);
    assert_eq!(refused.code, Some(3));
    for path in ["services/review/README.md", "services/review/core/src/domain/stars.rs"] {
        assert!(refused.output.contains(path), "{}", refused.output);
    }
    assert_eq!(copy.contents(), before);
    assert_eq!(copy.run(&["remove-service", "review", "--force"]).code, Some(0));
    assert!(!copy.root.join("services/review").exists());
    assert!(
        copy.read("proto/mart/product/v1/product.proto").contains("// A product of the mart."),
        "an edit elsewhere"
    );

    // The same with a contract that existed before the service.
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let contract = copy.contents().into_iter().filter(|(path, _)| path.starts_with("proto/mart/review/"));
    let contract: Vec<(String, String)> = contract.collect();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    for (path, text) in &contract {
        copy.write(path, text);
    }
    let with_contract = copy.contents();
    let created = copy.run(&["new-service", "review"]);
    assert!(
        created.code == Some(0) && created.output.contains("created review from its contract"),
        "{}",
        created.output
    );
    let removed = copy.run(&["remove-service", "review"]);
    assert!(removed.output.contains("new-service did not write this contract"), "{}", removed.output);
    let left = copy.contents();
    assert_eq!(left.get(CONTRACT), with_contract.get(CONTRACT));
    assert!(!left.keys().any(|path| path.starts_with("services/review/")));
}

#[test]
fn new_service_does_not_edit_an_existing_contract() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let contract: Vec<(String, String)> =
        copy.contents().into_iter().filter(|(path, _)| path.starts_with("proto/mart/review/")).collect();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    for (path, text) in &contract {
        copy.write(path, text);
    }
    let run = copy.run(&["new-service", "review", "--consumes", "product.ProductArchived"]);
    assert_eq!(run.code, Some(2));
    assert!(run.output.contains("handler: \"review.product-archived\""), "{}", run.output);
}

#[test]
fn other_operations_are_left_and_outdated_scaffolds_are_noted() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let contract: Vec<(String, String)> =
        copy.contents().into_iter().filter(|(path, _)| path.starts_with("proto/mart/review/")).collect();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    for (path, text) in &contract {
        copy.write(path, text);
    }
    copy.replace(
        CONTRACT,
        "  // Deletes a review for good.\n  rpc DeleteReview(",
        "  // Approves a review.\n  rpc ApproveReview(ApproveReviewRequest) returns (ApproveReviewResponse) {\n    option (google.api.http) = {\n      post: \"/v1/reviews/{review_id}/approve\"\n      body: \"*\"\n    };\n    option (mart.options.v1.operation) = {\n      auth: [AUTH_ADMIN]\n      rate_limit: {per_minute: 600}\n      errors: [\"REVIEW_NOT_FOUND\"]\n    };\n  }\n\n  // Deletes a review for good.\n  rpc DeleteReview(",
    );
    let more = "\n// Requests the approval of a review.\nmessage ApproveReviewRequest {\n  // The review's id.\n  string review_id = 1 [(buf.validate.field).string.uuid = true];\n}\n\n// The response.\nmessage ApproveReviewResponse {}\n";
    copy.write(CONTRACT, &(copy.read(CONTRACT) + more));
    let created = copy.run(&["new-service", "review"]);
    assert_eq!(created.code, Some(0), "{}", created.output);
    assert!(created.output.contains("the operation ApproveReview"), "{}", created.output);
    assert!(!copy.read("services/review/service/src/adapters/http.rs").contains("approve"));
    assert!(copy.read("features/review/authentication.feature").contains("| ApproveReview |"));
    assert!(copy.read("features/review/steps.rs").contains("call_without_token"));

    let text = copy.read(CONTRACT);
    let start = text.find("  // Deletes a review for good.").expect("there");
    let end = start + text[start..].find("\n  }\n").expect("its end") + 5;
    copy.write(CONTRACT, &format!("{}{}", &text[..start], &text[end..]));
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let check = copy.run(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.output);
    assert!(check.output.contains("delete_review.rs was generated for delete_review"), "{}", check.output);
    std::fs::remove_file(copy.root.join("services/review/core/src/application/delete_review.rs")).expect("removed");
    assert!(!copy.run(&["check"]).output.contains("delete_review.rs"));
}

#[test]
fn a_large_contract_without_operations_becomes_a_service() {
    let copy = Copy::new();
    let mut text = String::from(
        "\u{feff}syntax = \"proto3\";\n\npackage mart.big.v1;\n\nimport \"mart/options/v1/options.proto\";\n\n// Has nothing to do yet.\nservice BigService {\n  option (mart.options.v1.service) = {database: \"big\"};\n}\n",
    );
    for nth in 0..200 {
        text.push_str(&format!(
            "\n// Message {nth}.\nmessage Message{nth} {{\n  // A field.\n  string field = 1;\n}}\n"
        ));
    }
    copy.write("proto/mart/big/v1/big.proto", &text);
    let created = copy.run(&["new-service", "big"]);
    assert_eq!(created.code, Some(0), "{}", created.output);
    assert!(copy.read("services/big/service/src/generated/http.rs").contains("the service has no operations"));
    assert!(!copy.root.join("services/big/service/src/adapters/http.rs").exists());
    assert_eq!(copy.run(&["check"]).code, Some(0));
}

#[test]
fn a_run_in_a_subfolder_works_on_the_whole_tree() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let from_the_top = copy.contents();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    let created = copy.run_in("services/product/core/src", &["new-service", "review"]);
    assert_eq!(created.code, Some(0), "{}", created.output);
    assert_eq!(copy.contents(), from_the_top);
}
