//! The steps of the product service's scenarios.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as owned strings")]

use cucumber::gherkin::Step;
use cucumber::{given, then, when};
use features::{Record, words};
use serde_json::{Map, Value, json};

use crate::world::World;

features::steps!(invalid);

/// Returns a body with the members of a table and defaults for name, slug and SKU.
fn body(name: &str, step: &Step) -> Value {
    let mut body = Map::new();
    for row in words::rows(step) {
        member(&mut body, &row[0], &row[1]);
    }
    let name = body.get("name").and_then(Value::as_str).unwrap_or(name).to_owned();
    for (member, value) in [("name", name.clone()), ("slug", slug(&name)), ("sku", format!("{name}-1"))] {
        body.entry(member).or_insert(json!(value));
    }
    Value::Object(body)
}

fn slug(name: &str) -> String {
    let plain = name.to_lowercase().replace('ß', "ss");
    let slug: String = plain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Adds a member to a body, from its notation in a table.
fn member(body: &mut Map<String, Value>, name: &str, value: &str) {
    let parts = || value.split(", ").filter(|part| !part.is_empty());
    match name {
        "price" => body.insert("prices".to_owned(), prices(value)),
        "image" => body.insert("imageUrls".to_owned(), parts().map(|part| json!(part)).collect()),
        "status" => body.insert("status".to_owned(), json!(format!("PRODUCT_STATUS_{value}"))),
        "attribute" => {
            let pair = |part: &str| {
                let (key, value) = part.split_once('=').expect("key=value");
                json!({ "key": key, "value": value })
            };
            body.insert("attributes".to_owned(), parts().map(pair).collect())
        }
        name => body.insert(name.to_owned(), json!(value)),
    };
}

fn prices(text: &str) -> Value {
    text.split(", ").filter(|part| !part.is_empty()).map(words::money_json).collect()
}

impl World {
    fn path(&self, name: &str) -> String {
        format!("/v1/products/{}", self.ids.get(name).unwrap_or_else(|| panic!("no product {name:?} was created")))
    }

    /// Begins the part of the scenario whose events are checked.
    async fn begin(&mut self) {
        self.events_before = self.mart.history().await.len();
    }

    async fn create(&mut self, mut body: Value, headers: &[(&str, &str)]) {
        for unique in ["slug", "sku"] {
            body[unique] = json!(self.mart.own(body[unique].as_str().unwrap_or_default()));
        }
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        self.send(Some("admin"), "POST", "/v1/products", Some(body), headers).await;
        if let Some(id) = self.mart.answer().body["product"]["productId"].as_str() {
            self.ids.insert(name, id.to_owned());
        }
    }

    async fn create_named(&mut self, kind: &str, name: &str, price: &str, headers: &[(&str, &str)]) {
        let status = if kind == "draft" { "PRODUCT_STATUS_DRAFT" } else { "PRODUCT_STATUS_ACTIVE" };
        let (slug, sku) = (slug(name), format!("{name}-1"));
        let body = json!({ "name": name, "slug": slug, "sku": sku, "prices": prices(price), "status": status });
        self.create(body, headers).await;
    }

    async fn change(&mut self, name: &str, step: &Step, etag: Option<&str>) {
        let mut body = Map::new();
        for row in step.table.iter().flat_map(|table| &table.rows) {
            member(&mut body, &row[0], &row[1]);
        }
        let tag = etag.map(|etag| format!("\"{etag}\"")).unwrap_or_default();
        let headers: Vec<(&str, &str)> = etag.iter().map(|_| ("if-match", tag.as_str())).collect();
        let path = self.path(name);
        self.send(Some("admin"), "PATCH", &path, Some(Value::Object(body)), &headers).await;
    }

    fn assert_success(&self) {
        assert!((200..300).contains(&self.mart.answer().status), "{self:?}");
    }

    fn store_list(&mut self) {
        let products = self.mart.answer().body["products"].as_array().cloned().unwrap_or_default();
        self.listed = products.iter().filter_map(|product| product["name"].as_str().map(str::to_owned)).collect();
    }
}

#[given(regex = r#"^the (draft|product|archived product) "(.+)" for (.+)$"#)]
async fn product_exists(world: &mut World, kind: String, name: String, price: String) {
    world.create_named(&kind, &name, &price, &[]).await;
    world.assert_success();
    if kind == "archived product" {
        let path = format!("{}/archive", world.path(&name));
        world.send(Some("admin"), "POST", &path, None, &[]).await;
        world.assert_success();
    }
    world.begin().await;
}

#[given(regex = r"^these active products, created in this order$")]
async fn products_exist(world: &mut World, step: &Step) {
    let rows = step.table.as_ref().expect("a table").rows.clone();
    for row in &rows[1..] {
        let mut body = Map::new();
        for (name, value) in rows[0].iter().zip(row) {
            member(&mut body, name, value);
        }
        member(&mut body, "status", "ACTIVE");
        member(&mut body, "slug", &slug(&row[0]));
        world.create(Value::Object(body), &[]).await;
        world.assert_success();
    }
    world.begin().await;
}

#[when(regex = r#"^the admin creates the (draft|product) "([^"]+)" for ([^"]+?)$"#)]
async fn creates(world: &mut World, kind: String, name: String, price: String) {
    world.begin().await;
    world.create_named(&kind, &name, &price, &[]).await;
}

#[when(regex = r#"^the admin creates the product "([^"]+)" for (.+) with the idempotency key "(.+)"$"#)]
async fn creates_with_key(world: &mut World, name: String, price: String, key: String) {
    let key = world.mart.own(&key);
    world.create_named("product", &name, &price, &[("idempotency-key", &key)]).await;
}

#[given(regex = r#"^the admin has created the product "([^"]+)" for (.+) with the idempotency key "(.+)"$"#)]
async fn has_created_with_key(world: &mut World, name: String, price: String, key: String) {
    let key = world.mart.own(&key);
    world.create_named("product", &name, &price, &[("idempotency-key", &key)]).await;
    world.assert_success();
    world.begin().await;
}

#[when(regex = r"^the admin creates a product$")]
async fn creates_from_table(world: &mut World, step: &Step) {
    world.begin().await;
    let body = body("", step);
    world.create(body, &[]).await;
}

#[when(regex = r#"^(?:the|a) (admin|customer) (activates|archives) "(.+)"$"#)]
async fn transitions(world: &mut World, role: String, action: String, name: String) {
    let path = format!("{}/{}", world.path(&name), action.trim_end_matches('s'));
    world.send(Some(&role), "POST", &path, None, &[]).await;
}

#[when(regex = r#"^the admin changes "(.+)"$"#)]
async fn changes(world: &mut World, name: String, step: &Step) {
    world.change(&name, step, None).await;
}

#[given(regex = r#"^the admin has changed "(.+)"$"#)]
async fn has_changed(world: &mut World, name: String, step: &Step) {
    world.change(&name, step, None).await;
    world.assert_success();
    world.begin().await;
}

#[given(regex = r#"^the admin has read "(.+)"$"#)]
async fn has_read(world: &mut World, name: String) {
    let path = world.path(&name);
    world.send(None, "GET", &path, None, &[]).await;
    world.assert_success();
    world.read = world.mart.answer().body["product"].clone();
}

#[when(regex = r#"^the admin changes the read version of "(.+)"$"#)]
async fn changes_read_version(world: &mut World, name: String, step: &Step) {
    let etag = world.read["etag"].as_str().expect("read before").to_owned();
    world.change(&name, step, Some(&etag)).await;
}

#[when(regex = r"^(customers|the admin) lists? products with ?(.*)$")]
async fn list(world: &mut World, caller: String, parameters: String) {
    let (role, path) =
        if caller == "customers" { (None, "/v1/products") } else { (Some("admin"), "/v1/admin/products") };
    world.send(role, "GET", &format!("{path}?{parameters}"), None, &[]).await;
    world.store_list();
}

#[when(regex = r"^customers read all pages of size (\d+) with ?(.*)$")]
async fn read_all_pages(world: &mut World, size: u32, parameters: String) {
    let (mut all, mut token) = (Vec::new(), String::new());
    for _ in 0..100 {
        let path = format!("/v1/products?{parameters}&pageSize={size}&pageToken={token}");
        world.send(None, "GET", &path, None, &[]).await;
        world.assert_success();
        world.store_list();
        assert!(world.listed.len() <= size as usize, "{world:?}");
        all.append(&mut world.listed);
        token = world.mart.answer().body["nextPageToken"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    world.listed = all;
}

#[given(regex = r#"^customers have the page token of "(.+)"$"#)]
async fn have_page_token(world: &mut World, parameters: String) {
    world.send(None, "GET", &format!("/v1/products?{parameters}&pageSize=1"), None, &[]).await;
    let token = world.mart.answer().body["nextPageToken"].as_str().expect("a token").to_owned();
    world.token = token;
}

#[when(regex = r#"^customers use the page token with "(.+)"$"#)]
async fn use_token(world: &mut World, parameters: String) {
    let path = format!("/v1/products?{parameters}&pageSize=1&pageToken={}", world.token);
    world.send(None, "GET", &path, None, &[]).await;
}

#[when(regex = r"^the admin republishes the catalog$")]
async fn republishes(world: &mut World) {
    world.send(Some("admin"), "POST", "/v1/admin/products/republish", None, &[]).await;
}

#[then(regex = r"^they find (.+)$")]
fn they_find(world: &mut World, names: String) {
    world.assert_success();
    let names: Vec<&str> = names.split(", ").filter(|name| *name != "nothing").collect();
    assert_eq!(world.listed, names, "{world:?}");
}

#[then(regex = r"^it succeeds$")]
fn succeeds(world: &mut World) {
    world.assert_success();
}

#[then(regex = r"^the request is rejected as ([A-Z_]+)$")]
fn rejected_as(world: &mut World, code: String) {
    assert_eq!(world.mart.answer().body["code"], code, "{world:?}");
}

#[then(regex = r#"^the admin sees "(.+)" as (?:a )?(draft|archived)(?: product)?$"#)]
async fn admin_sees(world: &mut World, name: String, status: String) {
    let path = world.path(&name).replace("/v1/", "/v1/admin/");
    world.send(Some("admin"), "GET", &path, None, &[]).await;
    assert_eq!(
        world.mart.answer().body["product"]["status"],
        format!("PRODUCT_STATUS_{}", status.to_uppercase()),
        "{world:?}"
    );
}

#[then(regex = r#"^customers see "(.+)" for (.+)$"#)]
async fn customers_see(world: &mut World, name: String, price: String) {
    let path = world.path(&name);
    world.send(None, "GET", &path, None, &[]).await;
    world.assert_success();
    assert_eq!(world.mart.answer().body["product"]["prices"], prices(&price));
}

#[then(regex = r#"^customers find it by its slug "(.+)" in any case$"#)]
async fn customers_see_by_slug(world: &mut World, slug: String) {
    let slug = world.mart.own(&slug);
    for slug in [slug.clone(), slug.to_uppercase()] {
        world.send(None, "GET", &format!("/v1/product-slugs/{slug}"), None, &[]).await;
        world.assert_success();
    }
}

#[then(regex = r#"^customers cannot see "(.+)"$"#)]
async fn customers_cannot_see(world: &mut World, name: String) {
    let path = world.path(&name);
    world.send(None, "GET", &path, None, &[]).await;
    assert_eq!(world.mart.answer().body["code"], "PRODUCT_NOT_FOUND", "{world:?}");
}

#[then(regex = r"^the mart has published( nothing)?$")]
async fn has_published(world: &mut World, step: &Step) {
    let events = world.mart.history().await;
    let mut published: Vec<Vec<String>> = events[world.events_before..].iter().map(named).collect();
    let mut expected = words::rows(step);
    // Only the events of one product are ordered.
    published.sort_by(|one, other| one[1].cmp(&other[1]));
    expected.sort_by(|one, other| one[1].cmp(&other[1]));
    assert_eq!(published, expected);
}

/// Returns an event's name and its product's name.
fn named(record: &Record) -> Vec<String> {
    let event = record.event_type.rsplit('.').next().unwrap_or_default().to_owned();
    let payload = devstack::contracts::decode(&record.event_type, &record.payload).expect("an event of a contract");
    vec![event, payload["product"]["name"].as_str().unwrap_or_default().to_owned()]
}
