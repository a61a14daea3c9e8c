//! Invalid contracts: all findings are reported together, with their places, and nothing is written.

use crate::copy::Copy;

const SERVICE: &str = "proto/mart/product/v1/product_service.proto";
const EVENTS: &str = "proto/mart/product/v1/product_events.proto";
const PAYMENT: &str = "proto/mart/payment/v1/payment_service.proto";
const SHELF: &str = "chassis/tests/shelf/proto/mart/shelf/v1/shelf_service.proto";

/// Invalid edits: a file, a text in it, its replacement, the violated rule, and a part of the message.
const INVALID: &[(&str, &str, &str, &str, &str)] = &[
    (SERVICE, "// Returns a product on sale.\n", "\n", "comment", "the operation `GetProduct` has no comment"),
    (EVENTS, "  // The previous prices.\n", "", "comment", "the field `previous_prices` of `ProductPriceChanged`"),
    (
        SERVICE,
        "{get: \"/v1/products/{product_id}\"}",
        "{get: \"/v1/products/{id}\"}",
        "path-variable",
        "has no field `id`",
    ),
    (
        SERVICE,
        "/v1/products/{product_id}/activate",
        "/v1/products/{product_id}:activate",
        "path",
        "`{product_id}:activate`",
    ),
    (SERVICE, "get: \"/v1/product-slugs/{slug}\"", "get: \"/v1/product-slugs/{slug=**}\"", "path", "`{slug=**}`"),
    (SERVICE, "get: \"/v1/product-slugs/{slug}\"", "get: \"/v1/products/{slug}\"", "overlap", "differently"),
    (SERVICE, "{get: \"/v1/admin/products\"}", "{get: \"/v1/products\"}", "overlap", "are both GET /v1/products"),
    (
        SERVICE,
        "{get: \"/v1/admin/products\"}",
        "{get: \"/v1/product-slugs/all\"}",
        "overlap",
        "`GetProductBySlug` can't be called with `all` as {slug}",
    ),
    (
        PAYMENT,
        "{post: \"/v1/payment-webhooks/sandbox\"}",
        "{post: \"/v1/payment-webhooks/sandbox\" body: \"*\"}",
        "body",
        "`ReceiveSandboxWebhook` is a webhook with a body",
    ),
    (SERVICE, "service ProductService {", "service Products {", "service-name", "the service `Products`"),
    (SERVICE, "creates: \"AdminGetProduct\"", "creates: \"ListProducts\"", "creates", "`ListProducts`"),
    (SERVICE, "errors: [\"PRODUCT_NOT_FOUND\", \"PRODUCT_NOT_ACTIVE\"]", "errors: [\"GONE\"]", "errors", "REASON_GONE"),
    (
        SERVICE,
        "errors: [\"PRODUCT_NOT_FOUND\", \"PRODUCT_NOT_ACTIVE\"]",
        "",
        "no-errors",
        "`ArchiveProduct` declares no errors",
    ),
    (SERVICE, "[(mart.options.v1.status) = 400]", "", "status", "`INVALID_PAGE_TOKEN`"),
    (
        SERVICE,
        "[(mart.options.v1.status) = 400]",
        "[(mart.options.v1.status) = 400, (mart.options.v1.details) = \"Nothing\"]",
        "details",
        "`Nothing`, which is not a message",
    ),
    (
        SERVICE,
        "rpc GetProduct(GetProductRequest) returns (GetProductResponse)",
        "rpc GetProduct(GetProductRequest) returns (stream GetProductResponse)",
        "streaming",
        "is a stream",
    ),
    (
        SERVICE,
        "rpc ArchiveProduct(ArchiveProductRequest)",
        "rpc ArchiveProduct(ActivateProductRequest)",
        "rpc-messages",
        "`ArchiveProductRequest`",
    ),
    (SHELF, "mart.product.v1.ProductUpdated", "mart.product.v1.ProductRenamed", "consumed", "no service publishes"),
    (SHELF, "shelf.product-updated", "shelf.product-created", "handler", "is named `shelf.product-created`"),
    (SHELF, "shelf.product-updated", "update-product", "handler", "is named `update-product`"),
    (SERVICE, "message GetProductRequest {", "message GetProductRequest {{", "protobuf", "expected"),
];

#[test]
fn invalid_contracts_are_reported_and_nothing_is_written() {
    for (file, from, to, rule, part) in INVALID {
        let copy = Copy::new();
        copy.replace(file, from, to);
        let before = copy.files();
        for command in ["generate", "check"] {
            let run = copy.run(&[command]);
            assert_eq!(run.code, Some(2), "{rule}: {}", run.output);
            assert!(run.output.contains(&format!("error[{rule}]")), "{rule}: {}", run.output);
            assert!(run.output.contains(part), "{rule}: {}", run.output);
            assert!(run.output.contains(&format!("--> {file}:")), "{rule}: {}", run.output);
            assert!(run.output.contains("help: ") && run.output.contains('^'), "{rule}: {}", run.output);
            assert_eq!(copy.files(), before, "{rule}");
        }
    }
}

#[test]
fn all_findings_of_all_contracts_are_reported_together() {
    let copy = Copy::new();
    let service = copy.read(SERVICE).replacen("      auth: [AUTH_PUBLIC]\n", "", 2);
    copy.write(SERVICE, &service);
    let events = copy.read(EVENTS).replacen("key: \"product.product_id\"", "key: \"product.id\"", 1);
    copy.write(EVENTS, &events);
    let run = copy.run(&["check"]);
    assert_eq!(run.code, Some(2));
    assert_eq!(run.output.matches("error[no-auth]").count(), 2, "{}", run.output);
    assert_eq!(run.output.matches("error[event-key]").count(), 1, "{}", run.output);
}

#[test]
fn crlf_contracts_generate_the_same_bytes() {
    let copy = Copy::new();
    let before = copy.contents();
    let text = copy.read(EVENTS).replace('\n', "\r\n");
    copy.write(EVENTS, &text);
    let run = copy.run(&["check"]);
    assert_eq!(run.code, Some(0), "{}", run.output);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    for (path, text) in copy.contents().iter().filter(|(path, _)| path.contains("generated")) {
        assert_eq!(Some(text), before.get(path));
    }
}

#[test]
fn findings_are_available_as_json() {
    let copy = Copy::new();
    copy.replace(SERVICE, "// Returns a product on sale.\n", "\n");
    let run = copy.run(&["check", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.output).expect("JSON");
    let finding = &json["findings"][0];
    assert_eq!((finding["rule"].as_str(), finding["place"]["file"].as_str()), (Some("comment"), Some(SERVICE)));
    assert!(finding["place"]["line"].as_u64().is_some_and(|line| line > 1), "{finding}");
}

#[test]
fn a_core_that_depends_on_io_is_reported_with_the_chain() {
    let core = "services/product/core/Cargo.toml";
    let cases = [
        (
            core,
            "mart-kernel.workspace = true\nthiserror",
            "mart-kernel.workspace = true\ntokio.workspace = true\nthiserror",
            "tokio",
        ),
        (
            core,
            "mart-kernel.workspace = true\nthiserror",
            "mart-kernel.workspace = true\naxum.workspace = true\nthiserror",
            "axum",
        ),
        (
            core,
            "mart-kernel.workspace = true\nthiserror",
            "mart-kernel.workspace = true\ntower.workspace = true\nthiserror",
            "tower -> ",
        ),
        ("kernel/Cargo.toml", "\n[dependencies]\n", "\n[dependencies]\nsqlx.workspace = true\n", "mart-kernel -> sqlx"),
    ];
    for (file, from, to, chain) in cases {
        let copy = Copy::new();
        copy.replace(file, from, to);
        let run = copy.run(&["check"]);
        assert_eq!(run.code, Some(1), "{chain}: {}", run.output);
        assert!(run.output.contains("error[core-io]") && run.output.contains(chain), "{chain}: {}", run.output);
        assert!(run.output.contains(core), "{chain}: {}", run.output);
    }
}

#[test]
fn names_that_are_equal_in_rust_are_rejected() {
    for (name, part) in [("Router", "`Router` and `router`"), ("GetPRODUCT", "`GetPRODUCT` and `GetProduct`")] {
        let copy = Copy::new();
        let text = copy.read(SERVICE);
        let text = text.replace("GetProductBySlug", name);
        copy.write(SERVICE, &text);
        let run = copy.run(&["check"]);
        assert_eq!(run.code, Some(2), "{name}: {}", run.output);
        assert!(run.output.contains("error[names]") && run.output.contains(part), "{name}: {}", run.output);
    }
}

#[test]
fn a_contract_without_a_service_folder_generates_no_code() {
    let copy = Copy::new();
    let before = copy.contents();
    let contract = r#"syntax = "proto3";

package mart.parcel.v1;

import "mart/options/v1/options.proto";

// A parcel was sent: "*/" {{ x }} # 💰.
message ParcelSent {
  option (mart.options.v1.event) = {
    topic: "mart.parcel.v1"
    key: "order_id"
  };
  // The order.
  string order_id = 1;
}
"#;
    let path = "proto/mart/parcel/v1/parcel_events.proto";
    copy.write(path, contract);
    assert_eq!(copy.run(&["generate"]).code, Some(0));
    let mut after = copy.contents();
    after.remove(path);
    assert_eq!(after, before);
    assert!(copy.run(&["graph"]).output.contains("parcel -- \"ParcelSent\" --> none((no subscriber))"));

    // The comment is copied unchanged into a service that consumes the event.
    copy.replace(SHELF, "mart.product.v1.ProductUpdated", "mart.parcel.v1.ParcelSent");
    copy.replace(SHELF, "shelf.product-updated", "shelf.parcel-sent");
    let run = copy.run(&["generate"]);
    assert_eq!(run.code, Some(0), "{}", run.output);
    let events = copy.read("chassis/tests/shelf/src/generated/events.rs");
    assert!(events.contains("/// A parcel was sent: \"*/\" {{ x }} # 💰."), "{events}");
    assert!(events.contains("use mart_proto::parcel::v1 as parcel;"), "{events}");
    assert!(events.contains("fn on_parcel_sent("), "{events}");
}
