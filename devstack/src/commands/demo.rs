//! `./mart demo`: one customer from the registration to the delivery, through the gateway, a line per step.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use devstack::call::{Reader, Seen};
use devstack::secrets::word;
use devstack::stack::Running;
use devstack::{contracts, demo_users, mail, outln};
use rdkafka::Offset;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// How long an answer, an event or what an event brings about may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at what is brought about.
const PAUSE: Duration = Duration::from_millis(100);
/// How a refusal for too many requests is mended.
const BUSY: &str = "\nthe gateway lets only so many requests a minute through: wait one and start again";

pub(crate) async fn run() -> Result<ExitCode> {
    let running = Running::read()?;
    let mut demo = Demo::new(&running)?;
    demo.all().await?;
    outln!("\n{:.1} s from the registration to the door. What happened, to the last handler:", demo.passed());
    outln!("  ./mart timeline {}", demo.order);
    outln!("its mails as the customer sees them: {}", running.mail);
    Ok(ExitCode::SUCCESS)
}

/// A customer who shops, and what was told since.
struct Demo<'a> {
    running: &'a Running,
    client: Client,
    /// Follows what is told from the beginning of the demo on.
    reader: Reader,
    begun: Instant,
    email: String,
    /// How many mails have come.
    mails: usize,
    /// Of the customer, once logged in.
    token: String,
    order: String,
}

impl<'a> Demo<'a> {
    fn new(running: &'a Running) -> Result<Self> {
        let topics: Vec<String> = contracts::topics().into_iter().collect();
        let reader = Reader::new(&running.brokers, &topics, Offset::End)?;
        let name = word::<4>()?;
        let (client, begun) = (devstack::http::builder().timeout(PATIENCE).build()?, Instant::now());
        let email = format!("demo-{name}@mart.example");
        Ok(Self { running, client, reader, begun, email, mails: 0, token: String::new(), order: String::new() })
    }

    async fn all(&mut self) -> Result<()> {
        self.register().await?;
        let (product, price) = self.browse().await?;
        self.place(&product, &price).await?;
        self.pay(&price).await?;
        self.deliver().await
    }

    /// Registers, proves the mailbox by the link that was sent, and logs in.
    async fn register(&mut self) -> Result<()> {
        let (email, password) = (self.email.clone(), word::<16>()?);
        self.step(&format!("registers as {email}"));
        let body = json!({ "email": email, "password": password, "name": "Ayesha" });
        self.ask(Method::POST, "/v1/users/register", None, Some(body)).await?;
        self.told("VerificationRequested", &email)?;
        let letter = self.mailed().await?;
        let token = letter.split_once("#token=").and_then(|(_, rest)| rest.split_whitespace().next());
        let token = token.with_context(|| format!("a mail without a link: {letter}"))?;
        self.step("opens the link in it, and proves the mailbox with the password");
        let proof = json!({ "token": token, "password": password });
        self.ask(Method::POST, "/v1/users/verify-email", None, Some(proof)).await?;
        self.told("UserRegistered", &email)?;
        self.step("logs in");
        let body = json!({ "email": email, "password": password });
        let told = self.ask(Method::POST, "/v1/sessions/log-in", None, Some(body)).await?;
        self.token = text(&told, "/tokens/accessToken")?;
        Ok(())
    }

    /// Chooses a product that is on sale and there; its id and its price.
    async fn browse(&mut self) -> Result<(String, Value)> {
        let path = "/v1/products?orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR&pageSize=50";
        let listed = self.ask(Method::GET, path, None, None).await?;
        let products = listed["products"].as_array().cloned().unwrap_or_default();
        let ids: Vec<String> = products.iter().filter_map(|product| text(product, "/productId").ok()).collect();
        ensure!(!ids.is_empty(), "no product is on sale for PKR: ./mart call POST /v1/products makes one");
        let path = format!("/v1/availability?productIds={}", ids.join("&productIds="));
        let told = self.ask(Method::GET, &path, None, None).await?;
        let there = told["availability"].as_array().cloned().unwrap_or_default();
        let there = there.iter().find(|product| product["available"].as_i64().is_some_and(|units| units > 0));
        let mend = "./mart call POST /v1/admin/stock-items/PRODUCT_ID/receive … --as admin brings some";
        let there = there.with_context(|| format!("nothing is left of the {} cheapest products: {mend}", ids.len()))?;
        let chosen = products.iter().find(|product| product["productId"] == there["productId"]);
        let chosen = chosen.context("availability tells of a product that was not asked for")?;
        let prices = chosen["prices"].as_array().cloned().unwrap_or_default();
        let price = prices.into_iter().find(|price| price["currencyCode"] == "PKR").context("a price in PKR")?;
        let (name, cost, units) = (text(chosen, "/name")?, money(&price), &there["available"]);
        self.step(&format!(
            "browses {} products and chooses {name} for {cost}, of which {units} are there",
            products.len()
        ));
        Ok((text(chosen, "/productId")?, price))
    }

    async fn place(&mut self, product: &str, price: &Value) -> Result<()> {
        let body = json!({
            "lines": [{ "productId": product, "quantity": 1 }], "total": price,
            "shippingAddress": { "recipient": "Ayesha", "lines": ["House 7, Street 4"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": self.email },
        });
        let placed = self.ask(Method::POST, "/v1/orders", Some(&self.token), Some(body)).await?;
        self.order = text(&placed, "/order/orderId")?;
        self.step(&format!("orders it: order {}", self.order));
        self.told("OrderAwaitingPayment", &self.order)?;
        self.mailed().await?;
        Ok(())
    }

    /// Pays on the sandbox's page, as the button there does.
    async fn pay(&mut self, price: &Value) -> Result<()> {
        let payment = format!("/v1/payments/{}", self.order);
        self.until_there(&payment).await?;
        let (path, chosen) = (format!("{payment}/attempts"), json!({ "provider": "sandbox" }));
        let started = self.ask(Method::POST, &path, Some(&self.token), Some(chosen)).await?;
        let page = text(&started, "/attempt/checkout/url")?;
        self.step(&format!("presses Pay for {} at {page}", money(price)));
        let form = self.client.post(&page).header("content-type", "application/x-www-form-urlencoded");
        let pressed = form.body("action=pay").send().await.context("the sandbox does not answer")?;
        ensure!(pressed.status().is_success(), "{page} {}: {}", pressed.status(), pressed.text().await?);
        self.told("OrderConfirmed", &self.order)?;
        self.mailed().await?;
        Ok(())
    }

    async fn deliver(&mut self) -> Result<()> {
        let admin = demo_users::log_in(self.running, "admin").await?;
        let number = word::<4>()?;
        self.step(&format!("an admin hands it to TCS under {number}"));
        let body = json!({ "carrier": "TCS", "trackingNumber": number });
        let path = format!("/v1/orders/{}/ship", self.order);
        self.ask(Method::POST, &path, Some(&admin), Some(body)).await?;
        self.told("OrderShipped", &self.order)?;
        self.mailed().await?;
        self.step("and says that it has arrived");
        let path = format!("/v1/orders/{}/deliver", self.order);
        self.ask(Method::POST, &path, Some(&admin), None).await?;
        self.told("OrderDelivered", &self.order)?;
        self.mailed().await?;
        Ok(())
    }

    /// Waits for the next mail and shows its title; its text.
    async fn mailed(&mut self) -> Result<String> {
        let asked = Instant::now();
        loop {
            let mails = mail::to(&self.running.mail, &self.email).await?;
            // The newest is the first.
            if let Some(mail) = mails.iter().rev().nth(self.mails) {
                self.mails += 1;
                outln!("{:>5.1} s    mail: {}", self.passed(), text(mail, "/subject")?);
                return text(mail, "/text");
            }
            let mend = "./mart dlq list and ./mart logs notification may tell why";
            ensure!(asked.elapsed() < PATIENCE, "no mail came within {} s: {mend}", PATIENCE.as_secs());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until what an event brings about can be read.
    async fn until_there(&self, path: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let (status, told) = self.send(Method::GET, path, Some(&self.token), None).await?;
            match status {
                StatusCode::NOT_FOUND if begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                status => return answered(&Method::GET, path, status, &told),
            }
        }
    }

    /// Asks through the gateway; an error that tells all where it is refused.
    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Result<Value> {
        let (status, told) = self.send(method.clone(), path, token, body).await?;
        answered(&method, path, status, &told)?;
        Ok(serde_json::from_str(&told).unwrap_or_default())
    }

    async fn send(
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
        let answer = request.send().await.context("the gateway does not answer: ./mart status shows what runs")?;
        Ok((answer.status(), answer.text().await?))
    }

    /// Shows the events in which something occurs, to the one of this name.
    fn told(&self, name: &str, about: &str) -> Result<Seen> {
        let asked = Instant::now();
        while let Some(seen) = PATIENCE.checked_sub(asked.elapsed()).and_then(|left| self.reader.next(left)) {
            if seen.payload.to_string().contains(about) {
                outln!("{:>5.1} s    {} of {}", self.passed(), seen.name(), seen.topic);
                if seen.name() == name {
                    return Ok(seen);
                }
            }
        }
        bail!(
            "no {name} about {about} came within {} s: ./mart dlq list and ./mart status may tell why",
            PATIENCE.as_secs()
        )
    }

    fn step(&self, what: &str) {
        outln!("{:>5.1} s  {what}", self.passed());
    }

    fn passed(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// An error where a request was refused.
fn answered(method: &Method, path: &str, status: StatusCode, told: &str) -> Result<()> {
    let mend = if status == StatusCode::TOO_MANY_REQUESTS { BUSY } else { "" };
    ensure!(status.is_success(), "{method} {path} was refused: {status} {told}{mend}");
    Ok(())
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("an answer without {pointer}: {value}"))
}

fn money(value: &Value) -> String {
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    format!("{} {}", part("amount"), part("currencyCode"))
}
