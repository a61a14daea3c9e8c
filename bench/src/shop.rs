//! The whole mart: how long an order takes from its request until it is confirmed, how many that are in a second, and what memory
//! every service has after it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use devstack::mail;
use devstack::ports;
use devstack::process::Process;
use devstack::providers::FakeStripe;
use devstack::service::ServiceSpec;
use futures::future::try_join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Scale;
use crate::environment::Stand;
use crate::load::memory;
use crate::orders::{Times, milliseconds, order, sell, stock};

const SERVICES: [&str; 6] = ["product", "inventory", "order", "payment", "notification", "user"];
/// How many customers shop at once under load.
const CUSTOMERS: usize = 16;
/// How often one customer looks whether something has come, and how often each of many.
const LOOK: Duration = Duration::from_millis(1);
const LOOK_OF_MANY: Duration = Duration::from_millis(10);

/// What was measured.
pub(crate) struct Shop {
    /// From the request until the order awaits payment and its page is open, at light load.
    pub(crate) opened: Times,
    /// From the request until the order is confirmed, at light load.
    pub(crate) confirmed: Times,
    /// The same under load.
    pub(crate) loaded: Times,
    /// Orders confirmed in a second under load.
    pub(crate) rate: f64,
    /// Resident and peak memory after it, in KiB, of what after what.
    pub(crate) memory: Vec<(String, (u64, u64))>,
}

struct Mart {
    settings: BTreeMap<&'static str, ServiceSpec>,
    stripe: FakeStripe,
    product: String,
    client: Client,
    token: String,
}

/// Starts all services and shops.
pub(crate) async fn measure(stand: &Stand, scale: Scale) -> Result<Shop> {
    let prefix = devstack::testing::prefix();
    let stripe = FakeStripe::default();
    let mut pays = stripe.serve().await?;
    pays.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
    let access = mail::Access { smtp: ports::any()?, page: ports::any()? };
    let mails =
        mail::MailProcess::start(stand.program("devstack")?, &stand.folder().join("mail"), access, None).await?;
    let mut settings = BTreeMap::new();
    for name in SERVICES {
        let mut spec = stand.service_among(name, scale, &prefix).await?;
        // As many as a service has by itself; 32 each would be more than the server takes.
        spec.more.retain(|(name, _)| name != "DATABASE_MAX_CONNECTIONS");
        match name {
            "payment" => spec.more.append(&mut pays),
            "notification" => spec.more.extend(access.variables()),
            _ => {}
        }
        settings.insert(name, spec);
    }
    let topics: Vec<String> =
        devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
    let brokers = settings.values().next().map(|spec| spec.brokers.clone()).unwrap_or_default();
    devstack::kafka::topics(&brokers, &topics).await?;
    let mut processes: BTreeMap<&str, Process> = BTreeMap::new();
    for (name, spec) in &settings {
        processes.insert(name, spec.start_ready().await?);
    }
    let product = sell(&settings["order"]).await?;
    stock(&settings["inventory"], &product).await?;
    let token = settings["order"].keys.token("customer", "bench")?;
    let mart = Mart { settings, stripe, product, client: devstack::http::client(), token };

    let (mut opened, mut confirmed) = (Vec::new(), Vec::new());
    for nth in 0..if scale.release { 200 } else { 3 } + 5 {
        let (page, all) = mart.shop(LOOK).await?;
        // The first ones warm caches, plans and connections.
        if nth >= 5 {
            opened.push(milliseconds(page));
            confirmed.push(milliseconds(all));
        }
    }
    try_join_all((0..CUSTOMERS).map(|nth| mart.register(nth))).await?;
    let begun = Instant::now();
    let customers = (0..CUSTOMERS).map(|_| mart.customer(begun, scale.round));
    let loaded: Vec<f64> = try_join_all(customers).await?.into_iter().flatten().collect();
    let rate = loaded.len() as f64 / begun.elapsed().as_secs_f64();
    let memory =
        processes.iter().map(|(name, process)| Ok((loaded_by(name), memory(process)?))).collect::<Result<_>>()?;
    for process in processes.into_values() {
        process.stop(Duration::from_secs(30)).await;
    }
    mails.process.stop(Duration::from_secs(5)).await;
    Ok(Shop { opened: Times(opened), confirmed: Times(confirmed), loaded: Times(loaded), rate, memory })
}

/// A service, and what it has done when its memory is looked at.
fn loaded_by(service: &str) -> String {
    match service {
        "product" => "product, idle".to_owned(),
        "user" => format!("user after {CUSTOMERS} registrations"),
        _ => format!("{service} after whole orders"),
    }
}

impl Mart {
    /// One customer registers.
    async fn register(&self, nth: usize) -> Result<()> {
        let body = json!({ "email": format!("c{nth}@example.com"), "password": "correct horse battery", "name": "A" });
        let (status, told) = self.ask("user", Method::POST, "/v1/users/register", Some(body)).await?;
        ensure!(status == 200, "user does not register: {status} {told}");
        Ok(())
    }

    /// One customer shops until the time is over.
    async fn customer(&self, begun: Instant, round: Duration) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        while begun.elapsed() < round {
            times.push(milliseconds(self.shop(LOOK_OF_MANY).await?.1));
        }
        Ok(times)
    }

    /// Places an order, opens its page as soon as that can be done, pays, and looks until it is confirmed; how long the first two
    /// and all of it took.
    async fn shop(&self, look: Duration) -> Result<(Duration, Duration)> {
        let begun = Instant::now();
        let (status, placed) = self.ask("order", Method::POST, "/v1/orders", Some(order(&self.product))).await?;
        let id = placed["order"]["orderId"].as_str().with_context(|| format!("no order: {status} {placed}"))?;
        let attempts = format!("/v1/payments/{id}/attempts");
        let page = loop {
            let (status, told) = self.ask("payment", Method::POST, &attempts, Some(json!({}))).await?;
            if let Some(page) = told["attempt"]["checkout"]["url"].as_str() {
                break page.to_owned();
            }
            ensure!(status == 404 && begun.elapsed() < Duration::from_secs(30), "no page: {status} {told}");
            tokio::time::sleep(look).await;
        };
        let opened = begun.elapsed();
        let session = FakeStripe::session_of(&page).context("a page of Stripe's")?;
        let pay = serde_json::from_value(json!({ "action": "pay" }))?;
        let said = self.stripe.act(session, &pay, OffsetDateTime::now_utc());
        let said = said.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        said.send(&self.client, &self.settings["payment"].url()).await?.error_for_status()?;
        loop {
            let (_, read) = self.ask("order", Method::GET, &format!("/v1/orders/{id}"), None).await?;
            if read["order"]["status"] == "ORDER_STATUS_CONFIRMED" {
                return Ok((opened, begun.elapsed()));
            }
            ensure!(begun.elapsed() < Duration::from_secs(30), "an order was never confirmed: {read}");
            tokio::time::sleep(look).await;
        }
    }

    async fn ask(&self, service: &str, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Value)> {
        let spec = &self.settings[service];
        let request = self.client.request(method, format!("{}{path}", spec.url())).bearer_auth(&self.token);
        let mut request = request.header("idempotency-key", Uuid::new_v4().to_string());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }
}
