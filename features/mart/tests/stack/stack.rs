//! The whole mart of one test. Its services share topics of their own.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use devstack::providers::FakeStripe;
use devstack::testing::{App, Servers, devstack, prefix, program};
use devstack::{mail, ports};
use mart_chassis::sql;
use mart_features::invariants::Mart;
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use crate::workloads::Workload;

pub(crate) const SERVICES: [&str; 6] = ["product", "inventory", "order", "payment", "notification", "user"];

/// The time that killed services may take until all work is done: one lease for each kill during an event from the inbox, and a
/// margin.
const TIMEOUT: Duration = Duration::from_mins(15);

/// The time between the starts of two workloads.
const START_INTERVAL: Duration = Duration::from_millis(50);

/// The intervals of jobs: long if only a test makes something due, short for the others.
const JOB_INTERVALS: [(&str, &str); 8] = [
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
    pub(crate) mail: mail::MailProcess,
    armed: Option<Armed>,
}

/// A service that kills itself at each failpoint of a list, from which it removes them.
#[derive(Debug)]
struct Armed {
    service: &'static str,
    list: PathBuf,
}

impl Armed {
    /// Returns the failpoints at which it has not killed itself yet.
    fn remaining(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.list).expect("the list");
        text.lines().map(str::to_owned).collect()
    }
}

impl Stack {
    /// Starts all services with this number of mugs in stock.
    pub(crate) async fn start(mugs: i32) -> Self {
        Self::start_on(&Servers::from_env(), mugs, &[]).await
    }

    /// Starts all services on these servers, with more variables.
    pub(crate) async fn start_on(servers: &Servers, mugs: i32, more: &[(&str, &str)]) -> Self {
        let prefix = prefix();
        let (stripe, pages) = (FakeStripe::default(), servers.scratch.join(format!("mail-{prefix}")));
        let mut stripe_settings = stripe.serve().await.expect("served");
        stripe_settings.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
        let access = mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") };
        let mail = mail::MailProcess::start(&devstack(), &pages, access, Some(mail::TEST_MAILBOXES))
            .await
            .expect("a mail server");
        let mut specs = Vec::new();
        for name in SERVICES {
            let mut spec = servers.service_among(name, &program(name), &prefix).await.expect("prepared");
            let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            spec.more.extend(JOB_INTERVALS.map(own));
            spec.more.extend(more.iter().copied().map(own));
            spec.more.push(own(("RUST_LOG", "info,mart_chassis=debug")));
            match name {
                "payment" => spec.more.append(&mut stripe_settings),
                "notification" => spec.more.extend(access.variables()),
                _ => {}
            }
            specs.push((name, spec));
        }
        let topics: Vec<String> =
            devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
        devstack::kafka::topics(&servers.kafka, &topics).await.expect("topics");
        let mut apps = BTreeMap::new();
        for (name, spec) in specs {
            apps.insert(name, App::of(spec).await);
        }
        let mut stack = Self { apps, mug: String::new(), stripe, mail, armed: None };
        stack.mug = stack.try_to_create("mug").await.expect("a response");
        let mug = stack.mug.clone();
        stack.receive(&mug, mugs).await;
        stack.wait_for_product(&mug).await;
        stack
    }

    /// Tries to create a product, with its name as the Idempotency-Key. Returns its id if the request succeeded.
    pub(crate) async fn try_to_create(&self, name: &str) -> Option<String> {
        let body = json!({
            "name": name, "slug": name, "status": "PRODUCT_STATUS_ACTIVE",
            "prices": [{ "amount": "1500.00", "currencyCode": "PKR" }],
        });
        let (_, made) = self.post("product", "admin", "/v1/products", name, &body).await?;
        made["product"]["productId"].as_str().map(str::to_owned)
    }

    /// Waits until a product can be ordered.
    pub(crate) async fn wait_for_product(&mut self, product: &str) {
        let line = json!([{ "productId": product, "quantity": 1 }]);
        let body = json!({ "lines": line, "currencyCode": "PKR" });
        self.wait_until("order knows the product", async |stack| {
            let quote = stack.post("order", "customer", "/v1/orders/quote", product, &body).await;
            quote.is_some_and(|(_, body)| body["total"]["amount"] == "1500.00")
        })
        .await;
    }

    /// Receives units of a product as soon as it has a stock item.
    pub(crate) async fn receive(&mut self, product: &str, units: i32) {
        let path = format!("/v1/admin/stock-items/{product}/receive");
        let body = json!({ "quantity": units, "reason": "delivery" });
        self.wait_until("inventory has the units", async |stack| {
            stack.post("inventory", "admin", &path, product, &body).await.is_some_and(|(status, _)| status == 201)
        })
        .await;
    }

    /// Waits for a condition. A service that killed itself meanwhile is restarted.
    async fn wait_until(&mut self, what: &str, condition: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !condition(self).await {
            assert!(begun.elapsed() < TIMEOUT, "timeout: {what}; {:?}", self.armed);
            self.restart_if_killed().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a POST with an Idempotency-Key and returns the status and the body, or `None` if there was no response.
    pub(crate) async fn post(
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

    /// Places an order and returns its id.
    pub(crate) async fn place(&self, quantity: i32) -> String {
        let key = Uuid::new_v4().to_string();
        self.try_to_place(&self.mug, &key, quantity).await.expect("a response")
    }

    /// Tries to place an order with an Idempotency-Key. Returns its id if the request succeeded.
    pub(crate) async fn try_to_place(&self, product: &str, key: &str, quantity: i32) -> Option<String> {
        let body = json!({
            "lines": [{ "productId": product, "quantity": quantity }],
            "total": { "amount": format!("{}.00", 1_500 * quantity), "currencyCode": "PKR" },
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": format!("{key}@mart.example") },
        });
        let (_, answer) = self.post("order", "customer", "/v1/orders", key, &body).await?;
        answer["order"]["orderId"].as_str().map(str::to_owned)
    }

    /// Pays for an order as soon as it is payable.
    pub(crate) async fn pay(&mut self, order: &str) {
        self.all_done(&mut [Workload::payment(order)]).await;
    }

    /// Starts the workloads one after the other and retries their steps until all are done. A service that killed itself is
    /// restarted.
    pub(crate) async fn all_done(&mut self, workloads: &mut [Workload]) {
        let begun = Instant::now();
        while !workloads.iter().all(Workload::is_done) {
            assert!(begun.elapsed() < TIMEOUT, "{:?}: {workloads:?}", self.armed);
            self.restart_if_killed().await;
            let started =
                usize::try_from(begun.elapsed().as_millis() / START_INTERVAL.as_millis()).unwrap_or(usize::MAX);
            futures::future::join_all(workloads.iter_mut().take(started + 1).map(|workload| workload.step(self))).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns the status of an order, such as `awaiting_payment`; empty if there was no response.
    pub(crate) async fn status(&self, order: &str) -> String {
        let app = &self.apps["order"];
        let token = app.spec.keys.token("admin", "tests").expect("signed");
        let request = app.client.get(format!("{}/v1/orders/{order}", app.spec.url())).bearer_auth(token);
        let Ok(answer) = request.timeout(Duration::from_secs(30)).send().await else { return String::new() };
        let body: Value = answer.json().await.unwrap_or_default();
        body["order"]["status"].as_str().unwrap_or_default().trim_start_matches("ORDER_STATUS_").to_lowercase()
    }

    /// Restarts a service so that it kills itself, with SIGKILL, when it first reaches each of these failpoints.
    pub(crate) async fn arm(&mut self, service: &'static str, failpoints: &[String]) {
        let app = self.apps.get_mut(service).expect("a service");
        app.process.kill().await;
        let list = app.spec.log.with_extension("kills");
        std::fs::write(&list, failpoints.join("\n")).expect("written");
        app.spec.more.push(("KILL_LIST".to_owned(), list.display().to_string()));
        self.armed = Some(Armed { service, list });
        self.start_armed().await;
    }

    /// Returns the failpoints at which the armed service has not killed itself yet.
    pub(crate) fn remaining(&self) -> Vec<String> {
        self.armed.as_ref().map(Armed::remaining).unwrap_or_default()
    }

    /// Restarts the armed service if it has killed itself.
    async fn restart_if_killed(&mut self) {
        let Some(armed) = &self.armed else { return };
        let Some(ended) = self.apps.get_mut(armed.service).expect("a service").process.ended() else { return };
        assert_eq!(ended.signal(), Some(9), "{armed:?} did not kill itself: {ended}");
        self.start_armed().await;
    }

    async fn start_armed(&mut self) {
        let Some(armed) = &self.armed else { return };
        let App { spec, client, .. } = self.apps.remove(armed.service).expect("a service");
        let process = loop {
            let remaining = armed.remaining().len();
            match spec.start_ready().await {
                Ok(process) => break process,
                // It reached the next failpoint before it was ready, because of work that was pending.
                Err(error) => assert!(armed.remaining().len() < remaining, "{error:#}"),
            }
        };
        self.apps.insert(armed.service, App { spec, process, client });
    }

    /// Kills a service and restarts it without failpoints.
    pub(crate) async fn kill_and_start(&mut self, name: &'static str) {
        let app = self.apps.remove(name).expect("a service");
        self.apps.insert(name, app.kill_and_start().await);
    }

    /// Waits until each of these orders is confirmed, delivered or cancelled, and returns those that are not cancelled.
    pub(crate) async fn confirmed(&mut self, orders: &[String]) -> Vec<String> {
        let mut confirmed = Vec::new();
        for order in orders {
            let mut status = String::new();
            let begun = Instant::now();
            while !matches!(status.as_str(), "confirmed" | "delivered" | "cancelled") {
                assert!(begun.elapsed() < TIMEOUT, "the order {order} is {status}");
                self.restart_if_killed().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                status = self.status(order).await;
            }
            if status != "cancelled" {
                confirmed.push(order.clone());
            }
        }
        confirmed
    }

    /// Waits until an order has this status.
    pub(crate) async fn wait_for_status(&mut self, order: &str, status: &str) {
        let what = format!("{order} is {status}");
        self.wait_until(&what, async |stack| stack.status(order).await == status).await;
    }

    /// Waits until the reservation of a cancelled order has ended: returned, released if the cancellation arrived before the
    /// payment, or expired. After a kill this can take one lease.
    pub(crate) async fn wait_for_return(&mut self, order: &str) {
        self.wait_until("the reservation has ended", async |stack| {
            let mut database = stack.apps["inventory"].database().await;
            let query = sql!("select status from reservation where order_id = $order_id::uuid", order_id = order);
            let row = query.fetch_optional(&mut database).await.expect("queried");
            row.map(|row| row.get::<String, _>("status"))
                .is_some_and(|status| matches!(status.as_str(), "returned" | "released" | "expired"))
        })
        .await;
    }

    /// Returns the databases and the Kafka cluster, to check the invariants.
    pub(crate) fn mart(&self) -> Mart {
        let order = &self.apps["order"].spec;
        let databases = self.apps.iter().map(|(name, app)| ((*name).to_owned(), app.spec.database.owner.clone()));
        Mart {
            databases: databases.collect(),
            brokers: order.brokers.clone(),
            topic_prefix: order.topic_prefix.clone(),
        }
    }

    /// Asserts that all invariants hold, at the latest when the work of killed processes was taken over.
    pub(crate) async fn assert_invariants(&self) {
        let violations = self.mart().violations_after(Duration::from_mins(5)).await.expect("checked");
        assert!(violations.is_empty(), "{violations:#?}");
    }
}
