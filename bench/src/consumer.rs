//! The consumer with a full topic, against pgbench with the same writes. The consumer is the test service of the chassis.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::join_all;
use mart_proto::product::v1::{Product, ProductCreated};
use prost::Message;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::environment::Environment;
use crate::{Pair, Scale, pgbench, statements};

pub(crate) async fn measure(environment: &mut Environment, scale: Scale) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let events = scale.rows / 4;
    let script = format!("{}{};\n", pgbench::UNIQUE, statements::store_item()?);
    for nth in 0..scale.pairs {
        let spec = environment.service("shelf", scale).await?;
        let topic = format!("{}mart.product.v1", spec.topic_prefix);
        fill(&spec.brokers, &topic, events).await?;
        let service = spec.start_ready().await?;
        let mut database = PgConnection::connect(&spec.database.owner).await?;
        let mart = consumed(&mut database, events).await?;
        service.stop(Duration::from_secs(30)).await;
        let bare = pgbench::run(environment.postgres.bin(), &spec.database.owner, &script, scale).await?;
        println!("consumer {nth}: {mart:.0} events/s, {bare:.0}/s by pgbench");
        pairs.push((mart, bare));
    }
    Ok(pairs)
}

async fn fill(brokers: &str, topic: &str, events: usize) -> Result<()> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers);
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    let new = NewTopic::new(topic, 12, TopicReplication::Fixed(1));
    admin.create_topics([&new], &AdminOptions::new()).await?;
    let producer: FutureProducer = client.create()?;
    let sends = (0..events).map(|n| {
        let producer = producer.clone();
        async move {
            let id = Uuid::new_v4().to_string();
            let product = Product { product_id: id.clone(), name: format!("Product {n}"), ..Product::default() };
            let payload = ProductCreated { product: Some(product) }.encode_to_vec();
            let headers = [
                ("ce_specversion", "1.0"),
                ("ce_id", &Uuid::new_v4().to_string()),
                ("ce_type", "mart.product.v1.ProductCreated"),
                ("ce_time", "2026-11-25T10:00:00Z"),
                ("ce_version", "1"),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ];
            let headers = headers
                .into_iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
            let record = FutureRecord::to(topic).key(&id).payload(&payload).headers(headers);
            producer.send(record, Duration::from_mins(1)).await.map_err(|(error, _)| error)
        }
    });
    for sent in join_all(sends).await {
        sent?;
    }
    Ok(())
}

/// Returns the rate from the first processed event to the last, so that joining the group does not count.
async fn consumed(database: &mut PgConnection, events: usize) -> Result<f64> {
    let mut first: Option<(Instant, i64)> = None;
    loop {
        let done: i64 =
            sqlx::query_scalar("select coalesce(max(position), 0) from applied").fetch_one(&mut *database).await?;
        let now = Instant::now();
        if done > 0 {
            let (started, before) = *first.get_or_insert((now, done));
            if done >= i64::try_from(events)? {
                return Ok((done - before) as f64 / now.duration_since(started).as_secs_f64().max(0.001));
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
