//! The whole mart: how long an order takes from its request until it is confirmed, how many are confirmed per second, and the
//! memory of every service after it.

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
use crate::environment::Environment;
use crate::load::memory;
use crate::orders::{Times, milliseconds, order, sell, stock};

const SERVICES: [&str; 6] = ["product", "inventory", "order", "payment", "notification", "user"];
/// The number of customers who shop at once under load.
const CUSTOMERS: usize = 16;
/// The poll delay of a single customer.
const POLL_DELAY: Duration = Duration::from_millis(1);
/// The poll delay of each customer under load.
const POLL_DELAY_UNDER_LOAD: Duration = Duration::from_millis(10);

/// The results.
pub(crate) struct Shop {
    /// The times from the request until the payment page is open, with one customer.
    pub(crate) opened: Times,
    /// The times from the request until the order is confirmed, with one customer.
    pub(crate) confirmed: Times,
    /// The times from the request until the order is confirmed, under load.
    pub(crate) loaded: Times,
    /// The rate of confirmed orders per second under load.
    pub(crate) rate: f64,
    /// Resident and peak memory after the load in KiB, with a description.
    pub(crate) memory: Vec<(String, (u64, u64))>,
}

struct Mart {
    specs: BTreeMap<&'static str, ServiceSpec>,
    stripe: FakeStripe,
    product: String,
    client: Client,
    token: String,
}

/// Starts all services and measures whole orders.
pub(crate) async fn measure(environment: &Environment, scale: Scale) -> Result<Shop> {
    let prefix = devstack::testing::prefix();
    let stripe = FakeStripe::default();
    let mut pays = stripe.serve().await?;
    pays.push(("PAYMENT_PROVIDERS".to_owned(), "stripe".to_owned()));
    let access = mail::Access { smtp: ports::any()?, page: ports::any()? };
    let mails =
        mail::MailProcess::start(environment.program("devstack")?, &environment.folder().join("mail"), access, None)
            .await?;
    let mut specs = BTreeMap::new();
    for name in SERVICES {
        let mut spec = environment.service_among(name, scale, &prefix).await?;
        // The service's default, because 32 connections of each service would exceed the server's maximum.
        spec.more.retain(|(name, _)| name != "DATABASE_MAX_CONNECTIONS");
        match name {
            "payment" => spec.more.append(&mut pays),
            "notification" => spec.more.extend(access.variables()),
            _ => {}
        }
        specs.insert(name, spec);
    }
    let topics: Vec<String> =
        devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
    let brokers = specs.values().next().map(|spec| spec.brokers.clone()).unwrap_or_default();
    devstack::kafka::topics(&brokers, &topics).await?;
    let mut processes: BTreeMap<&str, Process> = BTreeMap::new();
    for (name, spec) in &specs {
        processes.insert(name, spec.start_ready().await?);
    }
    let product = sell(&specs["order"]).await?;
    stock(&specs["inventory"], &product).await?;
    let token = specs["order"].keys.token("customer", "bench")?;
    let mart = Mart { specs, stripe, product, client: devstack::http::client(), token };

    let (mut opened, mut confirmed) = (Vec::new(), Vec::new());
    for nth in 0..if scale.release { 200 } else { 3 } + 5 {
        let (page, all) = mart.shop(POLL_DELAY).await?;
        // The first ones warm up caches, plans and connections.
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
        processes.iter().map(|(name, process)| Ok((load_of(name), memory(process)?))).collect::<Result<_>>()?;
    for process in processes.into_values() {
        process.stop(Duration::from_secs(30)).await;
    }
    mails.process.stop(Duration::from_secs(5)).await;
    Ok(Shop { opened: Times(opened), confirmed: Times(confirmed), loaded: Times(loaded), rate, memory })
}

/// Returns a description of the load that a service has had when its memory is measured.
fn load_of(service: &str) -> String {
    match service {
        "product" => "product, idle".to_owned(),
        "user" => format!("user after {CUSTOMERS} registrations"),
        _ => format!("{service} after whole orders"),
    }
}

impl Mart {
    /// Registers a customer.
    async fn register(&self, nth: usize) -> Result<()> {
        let body = json!({ "email": format!("c{nth}@example.com"), "password": "correct horse battery", "name": "A" });
        let (status, response) = self.send("user", Method::POST, "/v1/users/register", Some(body)).await?;
        ensure!(status == 200, "cannot register a user: {status} {response}");
        Ok(())
    }

    /// Places orders of one customer, one after the other, until the round is over. Returns their times to confirmation.
    async fn customer(&self, begun: Instant, round: Duration) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        while begun.elapsed() < round {
            times.push(milliseconds(self.shop(POLL_DELAY_UNDER_LOAD).await?.1));
        }
        Ok(times)
    }

    /// Places an order, opens its payment page as soon as possible, pays, and polls until the order is confirmed. Returns the times
    /// until the page is open and until the order is confirmed.
    async fn shop(&self, poll_delay: Duration) -> Result<(Duration, Duration)> {
        let begun = Instant::now();
        let (status, placed) = self.send("order", Method::POST, "/v1/orders", Some(order(&self.product))).await?;
        let id = placed["order"]["orderId"].as_str().with_context(|| format!("no order: {status} {placed}"))?;
        let attempts = format!("/v1/payments/{id}/attempts");
        let page = loop {
            let (status, started) = self.send("payment", Method::POST, &attempts, Some(json!({}))).await?;
            if let Some(page) = started["attempt"]["checkout"]["url"].as_str() {
                break page.to_owned();
            }
            ensure!(status == 404 && begun.elapsed() < Duration::from_secs(30), "no payment page: {status} {started}");
            tokio::time::sleep(poll_delay).await;
        };
        let opened = begun.elapsed();
        let session = FakeStripe::session_of(&page).context("the page is not Stripe's")?;
        let pay = serde_json::from_value(json!({ "action": "pay" }))?;
        let webhook = self.stripe.act(session, &pay, OffsetDateTime::now_utc());
        let webhook = webhook.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        webhook.send(&self.client, &self.specs["payment"].url()).await?.error_for_status()?;
        loop {
            let (_, read) = self.send("order", Method::GET, &format!("/v1/orders/{id}"), None).await?;
            if read["order"]["status"] == "ORDER_STATUS_CONFIRMED" {
                return Ok((opened, begun.elapsed()));
            }
            ensure!(begun.elapsed() < Duration::from_secs(30), "the order was not confirmed: {read}");
            tokio::time::sleep(poll_delay).await;
        }
    }

    async fn send(&self, service: &str, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Value)> {
        let spec = &self.specs[service];
        let request = self.client.request(method, format!("{}{path}", spec.url())).bearer_auth(&self.token);
        let mut request = request.header("idempotency-key", Uuid::new_v4().to_string());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }
}
