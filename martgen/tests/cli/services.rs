//! Services that are made and taken away again.

use crate::copy::{Copy, repository};

const CONTRACT: &str = "proto/mart/review/v1/review_service.proto";

#[test]
fn a_service_is_made_told_and_taken_away_without_a_trace() {
    let copy = Copy::new();
    let before = copy.contents();
    let made = copy.run(&["new-service", "review", "--consumes", "product.ProductArchived"]);
    assert_eq!(made.code, Some(0), "{}", made.told);
    for told in [
        "made review from a sample",
        "scaffold files",
        "managed files, 2",
        "generated files, 4",
        "services/review/core/src/domain/review.rs",
        "./mart call POST /v1/reviews '{\"name\"",
        "undo: cargo martgen remove-service review",
    ] {
        assert!(made.told.contains(told), "{told}: {}", made.told);
    }
    assert!(copy.read(CONTRACT).contains("event: \"mart.product.v1.ProductArchived\""));
    let check = copy.run(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.told);
    assert!(copy.run(&["generate"]).told.contains("everything is as the contracts say"));

    let kept = copy.contents();
    let preview = copy.run(&["remove-service", "review", "--dry-run"]);
    assert!(preview.told.contains("would remove services/review/core/src/ports.rs"), "{}", preview.told);
    assert_eq!(copy.contents(), kept, "a preview removes nothing");
    let removed = copy.run(&["remove-service", "review"]);
    assert_eq!(removed.code, Some(0), "{}", removed.told);
    for told in ["drop database review", "--delete --topic mart.review.v1", "--delete --group review"] {
        assert!(removed.told.contains(told), "{told}: {}", removed.told);
    }
    assert_eq!(copy.contents(), before);
}

#[test]
fn a_preview_of_a_new_service_writes_nothing_and_is_json_where_that_is_asked_for() {
    let copy = Copy::new();
    let before = copy.contents();
    let run = copy.run(&["new-service", "review", "--dry-run", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.told).expect("one document");
    let kinds: Vec<&str> =
        told["files"].as_array().expect("files").iter().filter_map(|file| file["kind"].as_str()).collect();
    for kind in ["scaffold", "managed", "generated"] {
        assert!(kinds.contains(&kind), "{kind}: {}", run.told);
    }
    assert_eq!((&told["written"], &told["left"]), (&serde_json::json!(false), &serde_json::json!([])));
    assert!(copy.run(&["new-service", "review", "--diff"]).told.contains("+++ b/services/review/core/src/ports.rs"));
    assert_eq!(copy.contents(), before);
}

#[test]
fn a_run_that_is_killed_leaves_the_tree_as_before_or_is_finished_by_the_next() {
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
            assert!(step > 90, "there were only {step} steps");
            break;
        }
        // What was decided is finished, and the service is there then; else nothing had happened yet.
        copy.run(&["generate"]);
        let found = copy.contents();
        assert!(found == after || found == before, "killed at step {step}");
        step += 9;
    }
}

#[test]
fn each_name_that_can_not_be_one_has_its_own_message_and_a_suggestion() {
    let copy = Copy::new();
    let before = copy.contents();
    let long = "a".repeat(300);
    for (name, what, help) in [
        ("", "a service needs a name", "try review"),
        ("  ", "a service needs a name", "try review"),
        ("Review", "has capital letters", "try review"),
        ("gift card", "has white space", "try gift_card"),
        ("gift-card", "has a hyphen", "try gift_card"),
        ("_gift", "does not part two words", "try gift"),
        ("gift__card", "does not part two words", "try gift_card"),
        ("gift_", "does not part two words", "try gift"),
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
        ("product", "there is a service product already", "take another name"),
        ("shelf", "there is a service shelf already", "take another name"),
    ] {
        let run = copy.run(&["new-service", name]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.told);
        assert!(run.told.contains(what) && run.told.contains(help), "{name}: {}", run.told);
    }
    copy.write("services/parcel/README.md", "half a service\n");
    let run = copy.run(&["new-service", "parcel"]);
    assert!(run.code == Some(2) && run.told.contains("is not a whole service"), "{}", run.told);
    std::fs::remove_dir_all(copy.root.join("services/parcel")).expect("removed");
    assert_eq!(copy.contents(), before);
}

#[test]
fn a_resource_that_customers_reach_is_refused_as_it_would_have_no_owner() {
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
    assert_eq!(run.code, Some(2), "{}", run.told);
    assert!(
        run.told.contains("no-owner") && run.told.contains("`GetVoucher` would be answered for every customer"),
        "{}",
        run.told
    );
    assert!(run.told.contains("proto/mart/voucher/v1/voucher.proto:40"), "{}", run.told);
    assert_eq!(copy.contents(), before, "nothing is written");
}

#[test]
fn an_event_that_nobody_publishes_is_refused_with_those_that_are() {
    let copy = Copy::new();
    let run = copy.run(&["new-service", "review", "--consumes", "product.ProductEaten"]);
    assert_eq!(run.code, Some(2));
    assert!(run.told.contains("nobody publishes product.ProductEaten"), "{}", run.told);
    assert!(run.told.contains("product.ProductArchived"), "{}", run.told);
}

#[test]
fn a_service_whose_events_others_need_stays() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let rating = copy.run(&["new-service", "rating", "--consumes", "review.ReviewCreated"]);
    assert_eq!(rating.code, Some(0), "{}", rating.told);
    let before = copy.contents();
    let refused = copy.run(&["remove-service", "review"]);
    assert_eq!(refused.code, Some(3));
    assert!(refused.told.contains("consumed by rating (ReviewCreated)"), "{}", refused.told);
    assert_eq!(copy.contents(), before);
    assert_eq!(copy.run(&["remove-service", "rating"]).code, Some(0));
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
}

#[test]
fn what_people_wrote_goes_by_force_only_and_what_stood_before_stays() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    copy.write("services/review/core/src/domain/stars.rs", "// mine\n");
    copy.replace("services/review/README.md", "# review", "# Reviews of products");
    copy.replace("proto/mart/product/v1/product.proto", "// Something that the mart sells.", "// What the mart sells.");
    let before = copy.contents();
    let refused = copy.run(&["remove-service", "review"]);
    assert_eq!(refused.code, Some(3));
    for path in ["services/review/README.md", "services/review/core/src/domain/stars.rs"] {
        assert!(refused.told.contains(path), "{}", refused.told);
    }
    assert_eq!(copy.contents(), before);
    assert_eq!(copy.run(&["remove-service", "review", "--force"]).code, Some(0));
    assert!(!copy.root.join("services/review").exists());
    assert!(copy.read("proto/mart/product/v1/product.proto").contains("// What the mart sells."), "an edit elsewhere");

    // The same from a contract that was there first.
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let contract = copy.contents().into_iter().filter(|(path, _)| path.starts_with("proto/mart/review/"));
    let contract: Vec<(String, String)> = contract.collect();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    for (path, text) in &contract {
        copy.write(path, text);
    }
    let with_contract = copy.contents();
    let made = copy.run(&["new-service", "review"]);
    assert!(made.code == Some(0) && made.told.contains("made review from its contract"), "{}", made.told);
    let removed = copy.run(&["remove-service", "review"]);
    assert!(removed.told.contains("was there before and stays"), "{}", removed.told);
    let left = copy.contents();
    assert_eq!(left.get(CONTRACT), with_contract.get(CONTRACT));
    assert!(!left.keys().any(|path| path.starts_with("services/review/")));
}

#[test]
fn a_contract_that_says_nothing_of_a_consumed_event_is_not_edited() {
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
    assert!(run.told.contains("handler: \"review.product-archived\""), "{}", run.told);
}

#[test]
fn an_operation_that_is_not_standard_is_left_to_people_and_a_seed_that_outlives_its_own_is_noted() {
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
    let more = "\n// Asks to approve a review.\nmessage ApproveReviewRequest {\n  // Its id.\n  string review_id = 1 [(buf.validate.field).string.uuid = true];\n}\n\n// It is approved.\nmessage ApproveReviewResponse {}\n";
    copy.write(CONTRACT, &(copy.read(CONTRACT) + more));
    let made = copy.run(&["new-service", "review"]);
    assert_eq!(made.code, Some(0), "{}", made.told);
    assert!(made.told.contains("the operation ApproveReview"), "{}", made.told);
    assert!(!copy.read("services/review/service/src/adapters/http.rs").contains("approve"));
    assert!(copy.read("features/review/asks.feature").contains("| ApproveReview |"));
    assert!(copy.read("features/review/steps.rs").contains("ask_without_token"));

    let text = copy.read(CONTRACT);
    let start = text.find("  // Deletes a review for good.").expect("there");
    let end = start + text[start..].find("\n  }\n").expect("its end") + 5;
    copy.write(CONTRACT, &format!("{}{}", &text[..start], &text[end..]));
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let check = copy.run(&["check"]);
    assert_eq!(check.code, Some(0), "{}", check.told);
    assert!(check.told.contains("delete_review.rs was made for delete_review"), "{}", check.told);
    std::fs::remove_file(copy.root.join("services/review/core/src/application/delete_review.rs")).expect("removed");
    assert!(!copy.run(&["check"]).told.contains("delete_review.rs"));
}

#[test]
fn a_service_of_two_hundred_messages_without_operations_and_events_is_made() {
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
    let made = copy.run(&["new-service", "big"]);
    assert_eq!(made.code, Some(0), "{}", made.told);
    assert!(copy.read("services/big/service/src/generated/http.rs").contains("it has no operations"));
    assert!(!copy.root.join("services/big/service/src/adapters/http.rs").exists());
    assert_eq!(copy.run(&["check"]).code, Some(0));
}

#[test]
fn a_run_in_a_subfolder_works_on_the_whole_tree() {
    let copy = Copy::new();
    assert_eq!(copy.run(&["new-service", "review"]).code, Some(0));
    let from_the_top = copy.contents();
    assert_eq!(copy.run(&["remove-service", "review"]).code, Some(0));
    let made = copy.run_in("services/product/core/src", &["new-service", "review"]);
    assert_eq!(made.code, Some(0), "{}", made.told);
    assert_eq!(copy.contents(), from_the_top);
}
