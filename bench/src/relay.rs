//! The relay with a full outbox, against a bare delete of the same rows and a bare producer of the same records.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::join_all;
use mart_chassis::sql;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use sqlx::{Connection, PgConnection};

use crate::environment::Environment;
use crate::{Pair, Scale};

const PAYLOAD: usize = 210;

/// Returns the pairs, and the medians of the bare delete and the bare producer.
pub(crate) async fn measure(environment: &mut Environment, scale: Scale) -> Result<(Vec<Pair>, Pair)> {
    let spec = environment.service("product", scale).await?;
    let mut database = PgConnection::connect(&spec.database.owner).await?;
    let (mut pairs, mut deletes, mut producers) = (Vec::new(), Vec::new(), Vec::new());
    for nth in 0..scale.pairs {
        fill(&mut database, scale.rows).await?;
        let service = spec.start_ready().await?;
        let mart = drained(&mut database, scale.rows).await?;
        service.stop(Duration::from_secs(30)).await;

        fill(&mut database, scale.rows).await?;
        let delete = bare_delete(&spec.database.owner, scale.rows).await?;
        let producer =
            bare_producer(&spec.brokers, &format!("{}mart.product.v1", spec.topic_prefix), scale.rows).await?;
        println!("relay {nth}: {mart:.0}/s, bare delete {delete:.0}/s, bare producer {producer:.0}/s");
        pairs.push((mart, delete.min(producer)));
        deletes.push(delete);
        producers.push(producer);
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Ok((pairs, (median(deletes), median(producers))))
}

async fn fill(database: &mut PgConnection, rows: usize) -> Result<()> {
    let fill = sql!(
        "insert into outbox (id, at, topic, key, event_type, version, traceparent, payload) \
         select gen_random_uuid(), now(), 'mart.product.v1', gen_random_uuid()::text, \
         'mart.product.v1.ProductCreated', 1, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', \
         decode(repeat('0a', $payload), 'hex') from generate_series(1, $rows)",
        payload = i32::try_from(PAYLOAD)?,
        rows = i32::try_from(rows)?,
    );
    fill.execute(&mut *database).await?;
    sqlx::query("vacuum analyze outbox").execute(database).await?;
    Ok(())
}

/// Returns the rate from the first deleted row to the last, so that the start of the process does not count.
async fn drained(database: &mut PgConnection, rows: usize) -> Result<f64> {
    let mut first: Option<(Instant, i64)> = None;
    loop {
        let left: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(&mut *database).await?;
        let now = Instant::now();
        if left < i64::try_from(rows)? {
            let (started, rest) = *first.get_or_insert((now, left));
            if left == 0 {
                let seconds = now.duration_since(started).as_secs_f64().max(0.001);
                return Ok(rest as f64 / seconds);
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Deletes the rows in batches, each with its own commit and, like the relay, with `synchronous_commit` off. Returns the rate.
async fn bare_delete(url: &str, rows: usize) -> Result<f64> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let mut database = PgConnection::connect_with(&options.options([("synchronous_commit", "off")])).await?;
    let started = Instant::now();
    let sql = "delete from outbox where position in (select position from outbox order by position limit 1000) returning payload";
    while !sqlx::query(sql).fetch_all(&mut database).await?.is_empty() {}
    Ok(rows as f64 / started.elapsed().as_secs_f64())
}

async fn bare_producer(brokers: &str, topic: &str, rows: usize) -> Result<f64> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("enable.idempotence", "true").set("acks", "all").set("linger.ms", "0");
    let producer: FutureProducer = client.create()?;
    let payload = vec![0x0a; PAYLOAD];
    let keys: Vec<String> = (0..rows).map(|n| n.to_string()).collect();
    // Connects the producer before the measurement.
    let first = FutureRecord::<str, [u8]>::to(topic).payload(&payload);
    producer.send(first, Duration::from_secs(20)).await.map_err(|(error, _)| error)?;
    let started = Instant::now();
    let mut deliveries = Vec::with_capacity(rows);
    for key in &keys {
        let mut record = FutureRecord::to(topic).key(key).payload(&payload);
        loop {
            match producer.send_result(record) {
                Ok(delivery) => break deliveries.push(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }
    for delivery in join_all(deliveries).await {
        delivery?.map_err(|(error, _)| error)?;
    }
    Ok(rows as f64 / started.elapsed().as_secs_f64())
}
