//! Orders: how many are placed per second, and how long an order takes until its stock is reserved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use devstack::call::Reader;
use devstack::publisher::{TestEvent, publish};
use devstack::service::ServiceSpec;
use mart_proto::product::v1::{Product, ProductRepublished, ProductStatus};
use mart_proto::r#type::v1::Money;
use order_service::adapters::postgres::PRODUCTS;
use prost::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::environment::Environment;
use crate::load::{Posts, memory};
use crate::peer::Peer;
use crate::{Pair, Scale, pgbench, statements};

/// Measured durations in milliseconds.
pub(crate) struct Times(pub(crate) Vec<f64>);

impl Times {
    /// Returns a percentile.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let mut all = self.0.clone();
        all.sort_by(f64::total_cmp);
        all.get((all.len() * percent / 100).min(all.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// The times of an order from the request until it awaits payment, and of the bare operations that this consists of.
pub(crate) struct Flow {
    pub(crate) reserved: Times,
    /// The commit of an order.
    pub(crate) commit: Times,
    /// A record from a producer to a consumer.
    pub(crate) hop: Times,
}

impl Flow {
    /// Returns a percentile of the bare time: three commits (two of order, one of inventory) and two hops.
    pub(crate) fn bare(&self, percent: usize) -> f64 {
        let sums = self.commit.0.iter().zip(&self.hop.0).map(|(commit, hop)| 3.0 * commit + 2.0 * hop);
        Times(sums.collect()).percentile(percent)
    }
}

/// The rates of placed orders, and order's memory after them.
pub(crate) struct Placed {
    /// The rates of order and of pgbench.
    pub(crate) bare: Vec<Pair>,
    /// The rates of order and of the peer.
    pub(crate) peer: Vec<Pair>,
    /// Resident and peak memory in KiB.
    pub(crate) memory: (u64, u64),
}

/// Measures orders placed by the mart, by pgbench and by the peer, in turn.
pub(crate) async fn placed(environment: &Environment, scale: Scale) -> Result<Placed> {
    let spec = environment.service("order", scale).await?;
    let topics = devstack::contracts::topics().into_iter().map(|topic| format!("{}{topic}", spec.topic_prefix));
    devstack::kafka::topics(&spec.brokers, &topics.collect::<Vec<_>>()).await?;
    let service = spec.start_ready().await?;
    let product = sell(&spec).await?;
    let body = order(&product).to_string();
    let posts = Posts::new(&spec, "customer", "/v1/orders", move |_| body.clone())?;
    let peer = Peer::start(&spec, scale).await?;
    let peers = posts.to(peer.port);
    for posts in [&posts, &peers] {
        posts.run(Scale { round: scale.round.min(Duration::from_secs(2)), ..scale }).await?;
    }
    let products = PRODUCTS.replace("$ids", &format!("array['{product}']::uuid[]"));
    let script = format!("{}{products};\n{};\n", pgbench::UNIQUE, statements::place_order(&product)?);
    let mut placed = Placed { bare: Vec::new(), peer: Vec::new(), memory: (0, 0) };
    for nth in 0..scale.pairs {
        let mart = posts.run(scale).await?;
        let bare = pgbench::run(environment.postgres.bin(), &spec.database.owner, &script, scale).await?;
        let other = peers.run(scale).await?;
        println!("orders {nth}: {mart:.0}/s over HTTP, {bare:.0}/s by pgbench, {other:.0}/s by the peer");
        placed.bare.push((mart, bare));
        placed.peer.push((mart, other));
    }
    placed.memory = memory(&service)?;
    check_rows(&spec.database.owner).await?;
    peer.process.stop(Duration::from_secs(10)).await;
    service.stop(Duration::from_secs(30)).await;
    Ok(placed)
}

/// Checks that every order of the mart, of pgbench and of the peer has a receipt and a timeline entry.
async fn check_rows(database: &str) -> Result<()> {
    let mut connection = PgConnection::connect(database).await?;
    let counts = "select (select count(*) from orders), (select count(*) from order_timeline), \
                  (select count(*) from receipt where scope like 'PlaceOrder%')";
    let (orders, entries, receipts): (i64, i64, i64) = sqlx::query_as(counts).fetch_one(&mut connection).await?;
    ensure!(orders == entries && orders == receipts, "{orders} orders, {entries} entries and {receipts} receipts");
    Ok(())
}

/// Measures orders one after the other with order and inventory.
pub(crate) async fn flow(environment: &Environment, scale: Scale) -> Result<Flow> {
    let prefix = devstack::testing::prefix();
    let order_spec = environment.service_among("order", scale, &prefix).await?;
    let inventory_spec = environment.service_among("inventory", scale, &prefix).await?;
    let topics: Vec<String> =
        devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
    devstack::kafka::topics(&order_spec.brokers, &topics).await?;
    let order_process = order_spec.start_ready().await?;
    let inventory = inventory_spec.start_ready().await?;
    let product = sell(&order_spec).await?;
    stock(&inventory_spec, &product).await?;
    let count = if scale.release { 300 } else { 5 };
    let client = devstack::http::client();
    let (mut reserved, mut commit, mut hop) = (Vec::new(), Vec::new(), Vec::new());
    // A database without a running service, so that no relay publishes its outbox.
    let bare = environment.service("order", scale).await?;
    let (mut bare, hops) = (PgConnection::connect(&bare.database.owner).await?, Hops::new(&order_spec).await?);
    let insert = statements::place_order(&product)?;
    for nth in 0..count + 5 {
        let flow = time_to_reservation(&client, &order_spec, &product).await?;
        let insert = insert.replace(":n::", &format!("{nth}::"));
        let begun = Instant::now();
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut bare).await?;
        let committed = begun.elapsed();
        let hopped = hops.one().await?;
        // The first ones warm up caches, plans and connections.
        if nth >= 5 {
            reserved.push(milliseconds(flow));
            commit.push(milliseconds(committed));
            hop.push(milliseconds(hopped));
        }
    }
    for process in [order_process, inventory] {
        process.stop(Duration::from_secs(30)).await;
    }
    Ok(Flow { reserved: Times(reserved), commit: Times(commit), hop: Times(hop) })
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Publishes a product and waits until order sells it. Returns its id.
pub(crate) async fn sell(spec: &ServiceSpec) -> Result<String> {
    let (product_id, status) = (Uuid::new_v4().to_string(), ProductStatus::Active.into());
    let prices = vec![Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }];
    let product =
        Product { product_id: product_id.clone(), name: "Mug".to_owned(), status, prices, ..Product::default() };
    let message = ProductRepublished { product: Some(product) };
    let event = TestEvent::new("mart.product.v1", "mart.product.v1.ProductRepublished", message.encode_to_vec());
    publish(&spec.brokers, &spec.topic_prefix, &[event.about(&product_id, 1)]).await?;
    let quote = json!({ "lines": [{ "productId": product_id, "quantity": 1 }], "currencyCode": "PKR" });
    let client = devstack::http::client();
    let begun = Instant::now();
    loop {
        let request = client.post(format!("{}/v1/orders/quote", spec.url())).json(&quote);
        let quoted: Value = request.send().await?.json().await?;
        if quoted["total"]["amount"] == "1500.00" {
            return Ok(product_id);
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "order did not receive the product");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Receives more units than the benchmarks order, as soon as inventory has the product.
pub(crate) async fn stock(spec: &ServiceSpec, product: &str) -> Result<()> {
    let path = format!("{}/v1/admin/stock-items/{product}/receive", spec.url());
    let token = spec.keys.token("admin", "bench")?;
    let begun = Instant::now();
    loop {
        let request = devstack::http::client().post(&path).bearer_auth(&token);
        let response = request.json(&json!({ "quantity": 1_000_000, "reason": "delivery" })).send().await?;
        if response.status() == 201 {
            return Ok(());
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "inventory did not receive the product");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn order(product: &str) -> Value {
    json!({
        "lines": [{ "productId": product, "quantity": 1 }],
        "total": { "amount": "1500.00", "currencyCode": "PKR" },
        "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
        "contact": { "email": "a@example.com" },
    })
}

/// Places an order and polls it every millisecond until its stock is reserved. Returns the time that this took.
async fn time_to_reservation(client: &Client, spec: &ServiceSpec, product: &str) -> Result<Duration> {
    let token = spec.keys.token("customer", "bench")?;
    let request = |method: Method, path: &str| -> RequestBuilder {
        client.request(method, format!("{}{path}", spec.url())).bearer_auth(&token)
    };
    let begun = Instant::now();
    let placed = request(Method::POST, "/v1/orders").header("idempotency-key", Uuid::new_v4().to_string());
    let placed: Value = placed.json(&order(product)).send().await?.json().await?;
    let id = placed["order"]["orderId"].as_str().with_context(|| format!("no order was placed: {placed}"))?;
    loop {
        let read: Value = request(Method::GET, &format!("/v1/orders/{id}")).send().await?.json().await?;
        if read["order"]["status"] == "ORDER_STATUS_AWAITING_PAYMENT" {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "the stock of an order was not reserved: {read}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Sends single records from a producer to a consumer, with acks from all replicas.
struct Hops {
    producer: FutureProducer,
    reader: Arc<Reader>,
    topic: String,
}

impl Hops {
    async fn new(spec: &ServiceSpec) -> Result<Self> {
        let topic = format!("{}hops", spec.topic_prefix);
        devstack::kafka::topics(&spec.brokers, std::slice::from_ref(&topic)).await?;
        let reader = Arc::new(Reader::new(&spec.brokers, std::slice::from_ref(&topic), Offset::Beginning)?);
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &spec.brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .create()?;
        Ok(Self { producer, reader, topic })
    }

    /// Sends a record and returns the time until it is received.
    async fn one(&self) -> Result<Duration> {
        let reader = self.reader.clone();
        let begun = Instant::now();
        let polled =
            tokio::task::spawn_blocking(move || reader.next(Duration::from_secs(30)).context("no record arrived"));
        let payload = [0x0a_u8; 300];
        let record = FutureRecord::to(&self.topic).key("key").payload(&payload[..]);
        self.producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)?;
        polled.await??;
        Ok(begun.elapsed())
    }
}
