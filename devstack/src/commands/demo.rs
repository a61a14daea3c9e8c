//! `./mart demo`: a purchase from the registration to the delivery through the gateway, one line per step.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use devstack::call::{KafkaEvent, Reader};
use devstack::running::RunningStack;
use devstack::secrets::random_hex;
use devstack::{contracts, demo_users, mail, outln};
use rdkafka::Offset;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// How long to wait for a response, an event, or the effect of an event.
const TIMEOUT: Duration = Duration::from_mins(2);
/// The delay between two polls.
const POLL_DELAY: Duration = Duration::from_millis(100);
/// The advice for status 429.
const RATE_LIMITED: &str = "\nthe gateway's rate limit is reached: wait a minute and run ./mart demo again";

pub(crate) async fn run() -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let mut demo = Demo::new(&running)?;
    demo.run().await?;
    outln!("\n{:.1} s from the registration to the delivery", demo.elapsed());
    outln!("  the timeline of the order: ./mart timeline {}", demo.order);
    outln!("  the customer's mails: {}", running.mail);
    Ok(ExitCode::SUCCESS)
}

/// A customer who shops, and the events since the start of the demo.
struct Demo<'a> {
    running: &'a RunningStack,
    client: Client,
    /// Reads the events since the start of the demo.
    reader: Reader,
    begun: Instant,
    email: String,
    /// The number of mails received so far.
    mails: usize,
    /// The customer's access token; empty before the login.
    token: String,
    /// The order's id; empty before the order is placed.
    order: String,
}

impl<'a> Demo<'a> {
    fn new(running: &'a RunningStack) -> Result<Self> {
        let topics: Vec<String> = contracts::topics().into_iter().collect();
        let reader = Reader::new(&running.brokers, &topics, Offset::End)?;
        let name = random_hex::<4>()?;
        let (client, begun) = (devstack::http::builder().timeout(TIMEOUT).build()?, Instant::now());
        let email = format!("demo-{name}@mart.example");
        Ok(Self { running, client, reader, begun, email, mails: 0, token: String::new(), order: String::new() })
    }

    async fn run(&mut self) -> Result<()> {
        self.register().await?;
        let (product, price) = self.browse().await?;
        self.place(&product, &price).await?;
        self.pay(&price).await?;
        self.deliver().await
    }

    /// Registers, verifies the email address with the link that was sent, and logs in.
    async fn register(&mut self) -> Result<()> {
        let (email, password) = (self.email.clone(), random_hex::<16>()?);
        self.step(&format!("register as {email}"));
        let body = json!({ "email": email, "password": password, "name": "Ayesha" });
        self.send(Method::POST, "/v1/users/register", None, Some(body)).await?;
        self.wait_for_event("VerificationRequested", &email)?;
        let mail = self.wait_for_mail().await?;
        let token = mail.split_once("#token=").and_then(|(_, rest)| rest.split_whitespace().next());
        let token = token.with_context(|| format!("the mail has no link: {mail}"))?;
        self.step("verify the email address with the link and the password");
        let body = json!({ "token": token, "password": password });
        self.send(Method::POST, "/v1/users/verify-email", None, Some(body)).await?;
        self.wait_for_event("UserRegistered", &email)?;
        self.step("log in");
        let body = json!({ "email": email, "password": password });
        let response = self.send(Method::POST, "/v1/sessions/log-in", None, Some(body)).await?;
        self.token = text(&response, "/tokens/accessToken")?;
        Ok(())
    }

    /// Chooses a product that is on sale and in stock. Returns its id and price.
    async fn browse(&mut self) -> Result<(String, Value)> {
        let path = "/v1/products?orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR&pageSize=50";
        let listed = self.send(Method::GET, path, None, None).await?;
        let products = listed["products"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> = products.iter().filter_map(|product| text(product, "/productId").ok()).collect();
        ensure!(
            !ids.is_empty(),
            "no product is on sale in PKR: add one with ./mart call POST /v1/products … --as admin"
        );
        let path = format!("/v1/availability?productIds={}", ids.join("&productIds="));
        let response = self.send(Method::GET, &path, None, None).await?;
        let stock = response["availability"].as_array().cloned().unwrap_or_default();
        let available = stock.iter().find(|product| product["available"].as_i64().is_some_and(|units| units > 0));
        let available = available.with_context(|| {
            let fix = "./mart call POST /v1/admin/stock-items/PRODUCT_ID/receive … --as admin";
            format!("the {} cheapest products are out of stock: receive some units with {fix}", ids.len())
        })?;
        let chosen = products.iter().find(|product| product["productId"] == available["productId"]);
        let chosen = chosen.context("/v1/availability returned a product that was not requested")?;
        let prices = chosen["prices"].as_array().cloned().unwrap_or_default();
        let price = prices
            .into_iter()
            .find(|price| price["currencyCode"] == "PKR")
            .context("a product in PKR has no price in PKR")?;
        let (name, cost, units) = (text(chosen, "/name")?, money(&price), &available["available"]);
        self.step(&format!("browse {} products, choose {name} for {cost}: {units} in stock", products.len()));
        Ok((text(chosen, "/productId")?, price))
    }

    async fn place(&mut self, product: &str, price: &Value) -> Result<()> {
        let body = json!({
            "lines": [{ "productId": product, "quantity": 1 }], "total": price,
            "shippingAddress": { "recipient": "Ayesha", "lines": ["House 7, Street 4"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": self.email },
        });
        let placed = self.send(Method::POST, "/v1/orders", Some(&self.token), Some(body)).await?;
        self.order = text(&placed, "/order/orderId")?;
        self.step(&format!("place order {}", self.order));
        self.wait_for_event("OrderAwaitingPayment", &self.order)?;
        self.wait_for_mail().await?;
        Ok(())
    }

    /// Pays on the sandbox's page, as its button does.
    async fn pay(&mut self, price: &Value) -> Result<()> {
        let payment = format!("/v1/payments/{}", self.order);
        self.wait_until_found(&payment).await?;
        let (path, chosen) = (format!("{payment}/attempts"), json!({ "provider": "sandbox" }));
        let started = self.send(Method::POST, &path, Some(&self.token), Some(chosen)).await?;
        let page = text(&started, "/attempt/checkout/url")?;
        self.step(&format!("pay {} at {page}", money(price)));
        let form = self.client.post(&page).header("content-type", "application/x-www-form-urlencoded");
        let response = form.body("action=pay").send().await.context("the sandbox does not respond")?;
        ensure!(response.status().is_success(), "{page} failed: {} {}", response.status(), response.text().await?);
        self.wait_for_event("OrderConfirmed", &self.order)?;
        self.wait_for_mail().await?;
        Ok(())
    }

    async fn deliver(&mut self) -> Result<()> {
        let admin = demo_users::log_in(self.running, "admin").await?;
        let number = random_hex::<4>()?;
        self.step(&format!("ship it as an admin, carrier TCS, tracking number {number}"));
        let body = json!({ "carrier": "TCS", "trackingNumber": number });
        let path = format!("/v1/orders/{}/ship", self.order);
        self.send(Method::POST, &path, Some(&admin), Some(body)).await?;
        self.wait_for_event("OrderShipped", &self.order)?;
        self.wait_for_mail().await?;
        self.step("mark it as delivered");
        let path = format!("/v1/orders/{}/deliver", self.order);
        self.send(Method::POST, &path, Some(&admin), None).await?;
        self.wait_for_event("OrderDelivered", &self.order)?;
        self.wait_for_mail().await?;
        Ok(())
    }

    /// Waits for the next mail, prints its subject and returns its text.
    async fn wait_for_mail(&mut self) -> Result<String> {
        let begun = Instant::now();
        loop {
            let mails = mail::to(&self.running.mail, &self.email).await?;
            // The newest is the first.
            if let Some(mail) = mails.iter().rev().nth(self.mails) {
                self.mails += 1;
                outln!("{:>5.1} s    mail: {}", self.elapsed(), text(mail, "/subject")?);
                return text(mail, "/text");
            }
            let advice = "look for the cause with ./mart dlq list and ./mart logs notification";
            ensure!(begun.elapsed() < TIMEOUT, "no mail arrived within {} s: {advice}", TIMEOUT.as_secs());
            tokio::time::sleep(POLL_DELAY).await;
        }
    }

    /// Polls a path until its resource exists, which an event creates.
    async fn wait_until_found(&self, path: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let (status, body) = self.request(Method::GET, path, Some(&self.token), None).await?;
            match status {
                StatusCode::NOT_FOUND if begun.elapsed() < TIMEOUT => tokio::time::sleep(POLL_DELAY).await,
                status => return ensure_success(&Method::GET, path, status, &body),
            }
        }
    }

    /// Sends a request through the gateway and returns the body, or an error unless the status is a success.
    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Result<Value> {
        let (status, body) = self.request(method.clone(), path, token, body).await?;
        ensure_success(&method, path, status, &body)?;
        Ok(serde_json::from_str(&body).unwrap_or_default())
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<(StatusCode, String)> {
        let mut request = self.client.request(method, format!("{}{path}", self.running.gateway));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response =
            request.send().await.context("the gateway does not respond: ./mart status shows what is running")?;
        Ok((response.status(), response.text().await?))
    }

    /// Prints the events whose payload contains `id` until the event of this name arrives, and returns that event.
    fn wait_for_event(&self, name: &str, id: &str) -> Result<KafkaEvent> {
        let begun = Instant::now();
        while let Some(event) = TIMEOUT.checked_sub(begun.elapsed()).and_then(|left| self.reader.next(left)) {
            if event.payload.to_string().contains(id) {
                outln!("{:>5.1} s    {} on {}", self.elapsed(), event.name(), event.topic);
                if event.name() == name {
                    return Ok(event);
                }
            }
        }
        bail!(
            "no {name} of {id} arrived within {} s: look for the cause with ./mart dlq list and ./mart status",
            TIMEOUT.as_secs()
        )
    }

    fn step(&self, text: &str) {
        outln!("{:>5.1} s  {text}", self.elapsed());
    }

    /// Returns the seconds since the start of the demo.
    fn elapsed(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// Returns an error unless the status is a success.
fn ensure_success(method: &Method, path: &str, status: StatusCode, body: &str) -> Result<()> {
    let advice = if status == StatusCode::TOO_MANY_REQUESTS { RATE_LIMITED } else { "" };
    ensure!(status.is_success(), "{method} {path} failed: {status} {body}{advice}");
    Ok(())
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("the response has no {pointer}: {value}"))
}

fn money(value: &Value) -> String {
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    format!("{} {}", part("amount"), part("currencyCode"))
}
