//! The whole mart of one test: its services share topics that nobody else has.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use devstack::providers::FakeStripe;
use devstack::testing::{App, Servers, devstack, prefix, program};
use devstack::{mail, ports};
use mart_features::invariants::Mart;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::workloads::Workload;

pub(crate) const SERVICES: [&str; 6] = ["product", "inventory", "order", "payment", "notification", "user"];

/// How long services that were killed may take until they answer and everything is done: a lease for each time that one was killed over
/// an event that waited, and some more.
const PATIENCE: Duration = Duration::from_mins(15);

/// How long customers come one after the other.
const APART: Duration = Duration::from_millis(50);

/// What only a test plants is ever due; the others look often.
const SWEEPS: [(&str, &str); 8] = [
    ("ORDER_EXPIRY_INTERVAL", "3600s"),
    ("RESERVATION_EXPIRY_INTERVAL", "3600s"),
    ("ATTEMPT_POLL_INTERVAL", "200ms"),
    ("REFUND_INTERVAL", "200ms"),
    ("CALLBACK_INTERVAL", "200ms"),
    ("SEND_INTERVAL", "200ms"),
    ("SEND_BACKOFF", "200ms"),
    ("SEND_TIMEOUT", "5s"),
];

pub(crate) struct Stack {
    pub(crate) apps: BTreeMap<&'static str, App>,
    pub(crate) mug: String,
    pub(crate) stripe: FakeStripe,
    pub(crate) mail: mail::Running,
    armed: Option<Armed>,
}

/// A service that kills itself at each place of a list, which it shortens.
#[derive(Debug)]
struct Armed {
    service: &'static str,
    list: PathBuf,
}

impl Armed {
    /// Where it has not killed itself yet.
    fn left(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.list).expect("the list");
        text.lines().map(str::to_owned).collect()
    }
}

impl Stack {
    /// Started with so many mugs in stock.
    pub(crate) async fn start(mugs: i32) -> Self {
        Self::start_on(&Servers::of_this_run(), mugs, &[]).await
    }

    /// The same on servers that a test has for itself, with more variables.
    pub(crate) async fn start_on(servers: &Servers, mugs: i32, more: &[(&str, &str)]) -> Self {
        let prefix = prefix();
        let (stripe, pages) = (FakeStripe::default(), servers.scratch.join(format!("mail-{prefix}")));
        let mut pays = stripe.serve().await.expect("served");
        pays.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
        let access = mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") };
        let mail =
            mail::Running::start(&devstack(), &pages, access, Some(mail::OF_TESTS)).await.expect("a mail server");
        let mut settings = Vec::new();
        for name in SERVICES {
            let mut spec = servers.service_among(name, &program(name), &prefix).await.expect("prepared");
            let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            spec.more.extend(SWEEPS.map(own));
            spec.more.extend(more.iter().copied().map(own));
            spec.more.push(own(("RUST_LOG", "info,mart_chassis=debug")));
            match name {
                "payment" => spec.more.append(&mut pays),
                "notification" => spec.more.extend(access.variables()),
                _ => {}
            }
            settings.push((name, spec));
        }
        let topics: Vec<String> =
            devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
        devstack::kafka::topics(&servers.kafka, &topics).await.expect("topics");
        let mut apps = BTreeMap::new();
        for (name, spec) in settings {
            apps.insert(name, App::of(spec).await);
        }
        let mut stack = Self { apps, mug: String::new(), stripe, mail, armed: None };
        stack.mug = stack.try_to_create("mug").await.expect("acknowledged");
        let mug = stack.mug.clone();
        stack.receive(&mug, mugs).await;
        stack.sells(&mug).await;
        stack
    }

    /// Tries to create a product under an Idempotency-Key of its name; its id where that is acknowledged.
    pub(crate) async fn try_to_create(&self, name: &str) -> Option<String> {
        let body = json!({
            "name": name, "slug": name, "status": "PRODUCT_STATUS_ACTIVE",
            "prices": [{ "amount": "1500.00", "currencyCode": "PKR" }],
        });
        let (_, made) = self.ask("product", "admin", "/v1/products", name, &body).await?;
        made["product"]["productId"].as_str().map(str::to_owned)
    }

    /// Waits until order sells a product.
    pub(crate) async fn sells(&mut self, product: &str) {
        let line = json!([{ "productId": product, "quantity": 1 }]);
        let body = json!({ "lines": line, "currencyCode": "PKR" });
        self.comes_to("order knows the product", async |stack| {
            let quote = stack.ask("order", "customer", "/v1/orders/quote", product, &body).await;
            quote.is_some_and(|(_, told)| told["total"]["amount"] == "1500.00")
        })
        .await;
    }

    /// Receives units of a product, as soon as inventory knows it.
    pub(crate) async fn receive(&mut self, product: &str, units: i32) {
        let path = format!("/v1/admin/stock-items/{product}/receive");
        let body = json!({ "quantity": units, "reason": "delivery" });
        self.comes_to("inventory has the units", async |stack| {
            stack.ask("inventory", "admin", &path, product, &body).await.is_some_and(|(status, _)| status == 201)
        })
        .await;
    }

    /// Waits until something is so; a service that kills itself meanwhile is started anew.
    async fn comes_to(&mut self, what: &str, so: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !so(self).await {
            assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}; {:?}", self.armed);
            self.revive().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Posts under an Idempotency-Key; the status and the answer, or nothing where none came.
    pub(crate) async fn ask(
        &self,
        service: &str,
        role: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let app = &self.apps[service];
        let token = app.spec.keys.token(role, "ayesha").expect("signed");
        let request = app.client.post(format!("{}{path}", app.spec.url())).bearer_auth(&token);
        let request = request.header("idempotency-key", key).json(body);
        let answer = request.timeout(Duration::from_secs(30)).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Places an order; its id once it is acknowledged.
    pub(crate) async fn place(&self, quantity: i32) -> String {
        let key = Uuid::new_v4().to_string();
        self.try_to_place(&self.mug, &key, quantity).await.expect("acknowledged")
    }

    /// Tries to place an order under an Idempotency-Key; its id where that is acknowledged.
    pub(crate) async fn try_to_place(&self, product: &str, key: &str, quantity: i32) -> Option<String> {
        let body = json!({
            "lines": [{ "productId": product, "quantity": quantity }],
            "total": { "amount": format!("{}.00", 1_500 * quantity), "currencyCode": "PKR" },
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": format!("{key}@mart.example") },
        });
        let (_, answer) = self.ask("order", "customer", "/v1/orders", key, &body).await?;
        answer["order"]["orderId"].as_str().map(str::to_owned)
    }

    /// Pays for an order, as soon as that can be done.
    pub(crate) async fn pay(&mut self, order: &str) {
        self.all_done(&mut [Workload::paying(order)]).await;
    }

    /// Does what customers and admins want, each of it a little after the one before and again until it is done. A service that kills
    /// itself is started anew.
    pub(crate) async fn all_done(&mut self, workloads: &mut [Workload]) {
        let begun = Instant::now();
        while !workloads.iter().all(Workload::is_done) {
            assert!(begun.elapsed() < PATIENCE, "{:?}: {workloads:?}", self.armed);
            self.revive().await;
            let come = usize::try_from(begun.elapsed().as_millis() / APART.as_millis()).unwrap_or(usize::MAX);
            futures::future::join_all(workloads.iter_mut().take(come + 1).map(|workload| workload.step(self))).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The status of an order; empty where order does not answer.
    pub(crate) async fn status(&self, order: &str) -> String {
        let app = &self.apps["order"];
        let token = app.spec.keys.token("admin", "tests").expect("signed");
        let request = app.client.get(format!("{}/v1/orders/{order}", app.spec.url())).bearer_auth(token);
        let Ok(answer) = request.timeout(Duration::from_secs(30)).send().await else { return String::new() };
        let told: Value = answer.json().await.unwrap_or_default();
        told["order"]["status"].as_str().unwrap_or_default().trim_start_matches("ORDER_STATUS_").to_owned()
    }

    /// Starts a service anew that kills itself, with SIGKILL, where it first passes each of these places.
    pub(crate) async fn arm(&mut self, service: &'static str, places: &[String]) {
        let app = self.apps.get_mut(service).expect("it is there");
        app.process.kill().await;
        let list = app.spec.log.with_extension("kills");
        std::fs::write(&list, places.join("\n")).expect("written");
        app.spec.more.push(("KILL_LIST".to_owned(), list.display().to_string()));
        self.armed = Some(Armed { service, list });
        self.start_armed().await;
    }

    /// Where the service that kills itself has not yet.
    pub(crate) fn left(&self) -> Vec<String> {
        self.armed.as_ref().map(Armed::left).unwrap_or_default()
    }

    /// Starts the service anew that has killed itself.
    async fn revive(&mut self) {
        let Some(armed) = &self.armed else { return };
        let Some(ended) = self.apps.get_mut(armed.service).expect("it is there").process.ended() else { return };
        assert_eq!(ended.signal(), Some(9), "{armed:?} did not kill itself: {ended}");
        self.start_armed().await;
    }

    async fn start_armed(&mut self) {
        let Some(armed) = &self.armed else { return };
        let App { spec, client, .. } = self.apps.remove(armed.service).expect("it is there");
        let process = loop {
            let left = armed.left().len();
            match spec.start_ready().await {
                Ok(process) => break process,
                // What had waited for it led it to the next place before it was ready.
                Err(error) => assert!(armed.left().len() < left, "{error:#}"),
            }
        };
        self.apps.insert(armed.service, App { spec, process, client });
    }

    /// Kills a service and starts it anew, without its fail points.
    pub(crate) async fn kill_and_start(&mut self, name: &'static str) {
        let app = self.apps.remove(name).expect("it is there");
        self.apps.insert(name, app.kill_and_start().await);
    }

    /// Waits until each of these orders has ended; those that are not cancelled.
    pub(crate) async fn confirmed(&mut self, orders: &[String]) -> Vec<String> {
        let mut confirmed = Vec::new();
        for order in orders {
            let mut status = String::new();
            let begun = Instant::now();
            while !matches!(status.as_str(), "confirmed" | "delivered" | "cancelled") {
                assert!(begun.elapsed() < PATIENCE, "the order {order} is {status}");
                self.revive().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                status = self.status(order).await;
            }
            if status != "cancelled" {
                confirmed.push(order.clone());
            }
        }
        confirmed
    }

    /// Waits until an order has come to a status.
    pub(crate) async fn becomes(&mut self, order: &str, status: &str) {
        let what = format!("{order} is {status}");
        self.comes_to(&what, async |stack| stack.status(order).await == status).await;
    }

    /// Waits until a cancelled order's goods are back in stock: returned, released where its cancellation was heard before its payment, or
    /// expired. Who was killed over them keeps others away for a lease.
    pub(crate) async fn returned(&mut self, order: &str) {
        self.comes_to("its goods are back", async |stack| {
            let mut database = stack.apps["inventory"].database().await;
            let asked = sqlx::query_scalar("select status from reservation where order_id = $1::uuid").bind(order);
            let status: Option<String> = asked.fetch_optional(&mut database).await.expect("looked at");
            status.is_some_and(|status| matches!(status.as_str(), "returned" | "released" | "expired"))
        })
        .await;
    }

    /// What is to be looked at from outside.
    pub(crate) fn mart(&self) -> Mart {
        let order = &self.apps["order"].spec;
        let databases = self.apps.iter().map(|(name, app)| ((*name).to_owned(), app.spec.database.owner.clone()));
        Mart {
            databases: databases.collect(),
            brokers: order.brokers.clone(),
            topic_prefix: order.topic_prefix.clone(),
        }
    }

    /// Fails where something stays broken for longer than it takes until another one takes over what a killed one had begun.
    pub(crate) async fn holds(&self) {
        let broken = self.mart().broken_after(Duration::from_mins(5)).await.expect("looked at");
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
