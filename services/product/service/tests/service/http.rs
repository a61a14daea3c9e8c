//! The operations over HTTP.

use devstack::testing::{Answer, App};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{self, assert_problem, fields, product};

#[tokio::test]
async fn a_product_is_created_changed_archived_and_published() {
    let app = app::start().await;
    let body = json!({
        "sku": "K-1", "slug": "kite", "name": "Kite", "description": "Red", "category": "Toys",
        "imageUrls": ["https://a.example/kite.png"], "attributes": [{"key": "size", "value": "small"}],
        "prices": [{"amount": "9.00", "currencyCode": "USD"}, {"amount": "900.00", "currencyCode": "PKR"}],
    });
    let created = app.admin(Method::POST, "/v1/products", Some(body.clone())).await;
    let product = assert_created(&created, &body);
    let id = product["productId"].as_str().expect("an id");

    let (public, admin) = (format!("/v1/products/{id}"), format!("/v1/admin/products/{id}"));
    assert_problem(&app.send(Method::GET, &public, None, &[]).await, 404, "PRODUCT_NOT_FOUND");
    assert_eq!(app.admin(Method::GET, &admin, None).await.body["product"], *product);

    let active = app.admin(Method::POST, &format!("{public}/activate"), None).await;
    assert_eq!((active.status, active.body["product"]["status"].as_str()), (200, Some("PRODUCT_STATUS_ACTIVE")));
    assert_eq!(app.send(Method::GET, &public, None, &[]).await.status, 200);
    let by_slug = app.send(Method::GET, "/v1/product-slugs/KITE", None, &[]).await;
    assert_eq!(by_slug.body["product"]["productId"], id);

    // Without a mask, the body's members are changed. Members that only the service sets are ignored.
    let mut sent = by_slug.body["product"].clone();
    sent["name"] = json!("Big kite");
    sent["prices"] = json!([{"amount": "950.00", "currencyCode": "PKR"}]);
    let updated = app.admin(Method::PATCH, &public, Some(sent.clone())).await;
    assert_eq!(
        (updated.status, &updated.headers["etag"]),
        (200, &"\"4\"".parse().expect("a header")),
        "{}",
        updated.body
    );
    // The etag is from before that change.
    assert_problem(&app.admin(Method::PATCH, &public, Some(sent)).await, 412, "ETAG_MISMATCH");

    let archived = app.admin(Method::POST, &format!("{public}/archive"), Some(json!({}))).await;
    assert_eq!(archived.body["product"]["status"], "PRODUCT_STATUS_ARCHIVED");
    assert_problem(&app.send(Method::GET, &public, None, &[]).await, 404, "PRODUCT_NOT_FOUND");
    let rejected = app.admin(Method::PATCH, &public, Some(json!({"name": "Kites"}))).await;
    assert_problem(&rejected, 409, "PRODUCT_ARCHIVED");
    assert_problem(&app.admin(Method::POST, "/v1/products", Some(body)).await, 409, "SKU_TAKEN");

    let republished = app.admin(Method::POST, "/v1/admin/products/republish", None).await;
    assert_eq!(republished.body, json!({"republishedCount": 1, "nextPageToken": ""}));
    assert_published(&app, id).await;
}

/// Checks the response to the creation of a draft and returns the product.
fn assert_created<'a>(created: &'a Answer, body: &Value) -> &'a Value {
    assert_eq!(created.status, 201, "{}", created.body);
    let product = &created.body["product"];
    let id = product["productId"].as_str().expect("an id");
    assert_eq!(created.headers["location"], format!("/v1/admin/products/{id}"));
    assert_eq!(created.headers["etag"], "\"1\"");
    for member in ["sku", "slug", "name", "description", "category", "imageUrls", "attributes"] {
        assert_eq!(product[member], body[member], "{member}");
    }
    assert_eq!(product["prices"][0], json!({"amount": "900.00", "currencyCode": "PKR"}));
    assert_eq!(product["status"], "PRODUCT_STATUS_DRAFT");
    assert!(product["createTime"].as_str().is_some_and(|time| time.ends_with('Z')));
    product
}

/// Checks the events of the product's whole life.
async fn assert_published(app: &App, id: &str) {
    app.flushed().await;
    let events = app.events().await;
    let versions: Vec<(&str, &str)> = events.iter().map(|event| (event.name(), event.header("ce_version"))).collect();
    let expected = [
        ("ProductCreated", "1"),
        ("ProductActivated", "2"),
        ("ProductUpdated", "3"),
        ("ProductPriceChanged", "4"),
        ("ProductArchived", "5"),
        ("ProductRepublished", "5"),
    ];
    assert_eq!(versions, expected);
    assert!(events.iter().all(|event| event.key == id));
    assert_eq!(events[3].payload["previousPrices"][0]["amount"], "900.00");
    assert_eq!(
        events[2].payload["product"]["prices"][0]["amount"], "900.00",
        "the state after this event, before the next one"
    );
}

#[tokio::test]
async fn only_members_of_the_mask_are_changed() {
    let app = app::start().await;
    let id = app::create(&app, "mug").await["productId"].as_str().expect("an id").to_owned();
    let path = format!("/v1/products/{id}");
    let patch = async |query: &str, body: Value| app.admin(Method::PATCH, &format!("{path}{query}"), Some(body)).await;

    let changed = patch("?updateMask=name,imageUrls", json!({"name": "New", "category": "ignored"})).await;
    assert_eq!(
        (changed.body["product"]["name"].as_str(), changed.body["product"]["category"].as_str()),
        (Some("New"), Some(""))
    );
    // Only the rules of changed members are checked.
    assert_eq!(patch("", json!({"description": "d"})).await.status, 200);
    let invalid = patch("", json!({"name": "", "prices": []})).await;
    assert_problem(&invalid, 400, "INVALID_REQUEST");
    assert_eq!(fields(&invalid), ["name", "name", "prices"]);
    for mask in ["nothing", "name,nothing", "etag", "productId"] {
        let rejected = patch(&format!("?updateMask={mask}"), json!({"name": "x"})).await;
        assert_problem(&rejected, 400, "INVALID_REQUEST");
        assert_eq!(fields(&rejected), ["updateMask"], "{mask}");
    }
    assert_eq!(fields(&patch("", json!({"nmae": "x"})).await), ["nmae"]);
    assert_eq!(fields(&patch("", json!({"status": "PRODUCT_STATUS_ARCHIVED"})).await), ["status"]);
    assert_eq!(patch("", json!({"status": "PRODUCT_STATUS_ACTIVE"})).await.status, 200, "an equal value");
    let before = app.admin(Method::GET, &format!("/v1/admin/products/{id}"), None).await;
    assert_eq!(patch("", json!({})).await.body, before.body, "an empty mask changes nothing");

    let etag = before.headers["etag"].to_str().expect("text").to_owned();
    let bearer = format!("Bearer {}", app.spec.keys.token("admin", "tests").expect("signed"));
    let conditional = async |tag: &str, name: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
        app.send(Method::PATCH, &path, Some(json!({ "name": name })), &headers).await
    };
    assert_eq!(conditional(&etag, "A").await.status, 200);
    assert_problem(&conditional(&etag, "B").await, 412, "ETAG_MISMATCH");
    for tag in ["\"x\"", "W/\"1\"", "1", ""] {
        assert_problem(&conditional(tag, "B").await, 412, "ETAG_MISMATCH");
    }
    assert_eq!(conditional("*", "C").await.status, 200);
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_paged() {
    let app = app::start().await;
    for (slug, price) in [("red-mug", "30.00"), ("blue-mug", "10.00"), ("tea-pot", "20.00"), ("red-pot", "40.00")] {
        let mut body = product(slug);
        body["prices"][0]["amount"] = json!(price);
        body["name"] = json!(slug.replace('-', " "));
        assert_eq!(app.admin(Method::POST, "/v1/products", Some(body)).await.status, 201);
    }
    let list = async |query: &str| app.send(Method::GET, &format!("/v1/products?{query}"), None, &[]).await;
    let slugs = |answer: &Answer| -> Vec<String> {
        let products = answer.body["products"].as_array().cloned().unwrap_or_default();
        products.iter().filter_map(|product| product["slug"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(slugs(&list("").await), ["red-pot", "tea-pot", "blue-mug", "red-mug"]);
    assert_eq!(slugs(&list("query=RE+mu").await), ["red-mug"]);
    assert_eq!(slugs(&list("query=%25").await), Vec::<String>::new());
    assert_eq!(slugs(&list("order_by=PRODUCT_ORDER_NAME").await), ["blue-mug", "red-mug", "red-pot", "tea-pot"]);
    let priced = "currencyCode=PKR&minPrice=20.00&maxPrice=30.00&orderBy=PRODUCT_ORDER_PRICE";
    assert_eq!(slugs(&list(priced).await), ["tea-pot", "red-mug"]);

    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(&format!("orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR&pageSize=1&pageToken={token}")).await;
        seen.extend(slugs(&page));
        token = page.body["nextPageToken"].as_str().expect("always there").to_owned();
        if token.is_empty() {
            break;
        }
        assert_problem(&list(&format!("pageToken={token}")).await, 400, "INVALID_PAGE_TOKEN");
        assert_problem(
            &list(&format!("orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR&pageToken=A{token}")).await,
            400,
            "INVALID_PAGE_TOKEN",
        );
    }
    assert_eq!(seen, ["blue-mug", "tea-pot", "red-mug", "red-pot"]);

    for (query, field) in [
        ("pageSize=-1", "pageSize"),
        ("pageSize=x", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("colour=red", "colour"),
        ("orderBy=PRODUCT_ORDER_PRICE", "orderBy"),
        ("minPrice=1.00", "minPrice"),
        ("currencyCode=PKR&maxPrice=1", "maxPrice"),
        ("currencyCode=ZZZ", "currencyCode"),
        ("currencyCode=pkr", "currencyCode"),
        ("query=%00", "query"),
        ("query=%ff", "query"),
        ("orderBy=UP", "orderBy"),
        ("status=PRODUCT_STATUS_DRAFT", "status"),
    ] {
        let rejected = list(query).await;
        assert_problem(&rejected, 400, "INVALID_REQUEST");
        assert_eq!(fields(&rejected), [field], "{query}");
    }
}

#[tokio::test]
async fn concurrent_creations_with_one_key_create_one_product() {
    let app = app::start().await;
    let bearer = format!("Bearer {}", app.spec.keys.token("admin", "tests").expect("signed"));
    let create = async |body: Value, key: &str| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        app.send(Method::POST, "/v1/products", Some(body), &headers).await
    };
    let mut body = product("mug");
    body["sku"] = json!("M-1");
    let answers = join_all((0..20).map(|_| create(body.clone(), "key-1"))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    // The order of members, their spelling and white space do not make it another request.
    let other_spelling: Value = serde_json::from_str(
        r#"{"prices":[{"currencyCode":"PKR","amount":"1500.00"}],"status":2,"name":"Product mug","sku":"M-1","slug":"mug"}"#,
    )
    .expect("JSON");
    assert_eq!(create(other_spelling, "key-1").await.body, answers[0].body);
    let mut other = body.clone();
    other["name"] = json!("Another");
    assert_problem(&create(other, "key-1").await, 422, "IDEMPOTENCY_KEY_REUSED");
    assert_problem(&create(body, "key-2").await, 409, "SKU_TAKEN");
    app.flushed().await;
    assert_eq!(app.events().await.len(), 1);
}

#[tokio::test]
async fn concurrent_changes_succeed_or_return_unavailable() {
    let app = app::start().await;
    let id = app::create(&app, "mug").await["productId"].as_str().expect("an id").to_owned();
    let path = format!("/v1/products/{id}");
    let changes = (0..30).map(|n| app.admin(Method::PATCH, &path, Some(json!({"description": format!("{n}")}))));
    let answers = join_all(changes).await;
    let changed = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_problem(answer, 503, "UNAVAILABLE");
    }
    assert!(changed >= 3, "at least one per attempt");
    let product = app.admin(Method::GET, &format!("/v1/admin/products/{id}"), None).await;
    assert_eq!(product.body["product"]["etag"], (changed + 1).to_string());
    app.flushed().await;
    let versions: Vec<String> = app.events().await.iter().map(|event| event.header("ce_version").to_owned()).collect();
    assert_eq!(versions, (1..=changed + 1).map(|version| version.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_have_the_trace_and_metrics_the_route_of_a_request() {
    let app = app::start().await;
    let bearer = format!("Bearer {}", app.spec.keys.token("admin", "tests").expect("signed"));
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [("authorization", bearer.as_str()), ("traceparent", &parent)];
    assert_eq!(app.send(Method::POST, "/v1/products", Some(product("mug")), &headers).await.status, 201);
    let rejected = app.send(Method::POST, "/v1/products", Some(product("mug")), &headers).await;
    assert_eq!(rejected.body["traceId"], trace);
    app.flushed().await;
    let events = app.events().await;
    assert_eq!(events[0].trace_id(), trace);
    assert_ne!(events[0].header("traceparent"), parent, "the event has its own span");
    for (name, value) in
        [("ce_specversion", "1.0"), ("ce_source", "/product"), ("content-type", "application/protobuf")]
    {
        assert_eq!(events[0].header(name), value);
    }
    app.send(Method::GET, "/v1/products/not-an-id", None, &[]).await;
    app.send(Method::from_bytes(b"FOO").expect("a token"), "/x/y", None, &[]).await;
    let metrics = app.client.get(format!("{}/metrics", app.spec.internal_url())).send().await.expect("answered");
    let metrics = metrics.text().await.expect("text");
    for line in [
        r#"http_server_request_duration_seconds_count{service="product",http_request_method="POST",http_route="/v1/products",http_response_status_code="201"} 1"#,
        r#"http_server_request_duration_seconds_count{service="product",http_request_method="GET",http_route="/v1/products/{product_id}",http_response_status_code="400"} 1"#,
        r#"http_server_request_duration_seconds_count{service="product",http_request_method="_OTHER",http_route="unmatched",http_response_status_code="404"} 1"#,
        r#"outbox_pending{service="product"} 0"#,
        r#"outbox_published_total{service="product"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}
