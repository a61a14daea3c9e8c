//! Creations over HTTP, with receipt, row, prices and outbox row, while the relay drains behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use devstack::process::Process;
use devstack::service::Setting;
use futures::future::try_join_all;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use product_service::adapters::postgres::INSERT;
use tokio::net::TcpStream;

use crate::stand::Stand;
use crate::{Pair, Scale, pgbench};

/// The pairs, and the service's memory after all of them: resident and peak, in KiB.
pub(crate) async fn measure(stand: &mut Stand, scale: Scale) -> Result<(Vec<Pair>, (u64, u64))> {
    let setting = stand.service("product", scale).await?;
    let service = setting.start_ready().await?;
    let script = script();
    let next = Arc::new(AtomicU64::new(0));
    // Warms caches and plans of both.
    let warm = Scale { round: scale.round.min(std::time::Duration::from_secs(2)), ..scale };
    load(&setting, warm, &next).await?;
    let mut pairs = Vec::new();
    for nth in 0..scale.pairs {
        let mart = load(&setting, scale, &next).await?;
        let bare = pgbench::run(stand.postgres.bin(), &setting.database.owner, &script, scale).await?;
        println!("create {nth}: {mart:.0}/s over HTTP, {bare:.0}/s by pgbench");
        pairs.push((mart, bare));
    }
    let memory = memory(&service)?;
    service.stop(std::time::Duration::from_secs(30)).await;
    Ok((pairs, memory))
}

/// One connection each, one request after the other; the answers per second.
async fn load(setting: &Setting, scale: Scale, next: &Arc<AtomicU64>) -> Result<f64> {
    let token = setting.keys.token("admin", "bench")?;
    let started = Instant::now();
    let clients = (0..scale.connections).map(|_| {
        let (token, next, host) = (token.clone(), next.clone(), format!("127.0.0.1:{}", setting.http));
        tokio::spawn(async move {
            let stream = TcpStream::connect(&host).await?;
            stream.set_nodelay(true)?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let mut answered = 0_u64;
            while started.elapsed() < scale.round {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let body = format!(
                    r#"{{"sku":"B-{n}","slug":"b-{n}","name":"Product {n}","description":"Made by the bench","category":"Bench","status":"PRODUCT_STATUS_ACTIVE","prices":[{{"amount":"1500.00","currencyCode":"PKR"}},{{"amount":"5.99","currencyCode":"USD"}}]}}"#
                );
                let request = Request::post("/v1/products")
                    .header("host", &host)
                    .header("authorization", format!("Bearer {token}"))
                    .header("content-type", "application/json")
                    .header("idempotency-key", format!("bench-{n}"))
                    .body(Full::new(Bytes::from(body)))?;
                sender.ready().await?;
                let answer = sender.send_request(request).await?;
                let status = answer.status();
                let body = answer.into_body().collect().await?.to_bytes();
                ensure!(status == 201, "a creation was answered {status}: {}", String::from_utf8_lossy(&body));
                answered += 1;
            }
            Ok(answered)
        })
    });
    let counts = try_join_all(clients).await?;
    let answered: u64 = counts.into_iter().sum::<Result<u64>>()?;
    Ok(answered as f64 / started.elapsed().as_secs_f64())
}

/// The service's own statement, with values of the same sizes.
fn script() -> String {
    let payload = format!("array[decode('{}', 'hex')]::bytea[]", "0a".repeat(210));
    let unique = |prefix: &str| format!("'{prefix}' || cast(:n as bigint)");
    let (key, sku, slug, name) = (unique("bench-"), unique("P-"), unique("p-"), unique("Product "));
    let values = [
        "'CreateProduct of bench'::text",
        &key,
        "decode(repeat('ab', 32), 'hex')",
        "gen_random_uuid()::text",
        "array[gen_random_uuid()]",
        "array['mart.product.v1']",
        "array[gen_random_uuid()::text]",
        "array['mart.product.v1.ProductCreated']",
        "array[1]",
        "array[now()]",
        &payload,
        "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'",
        "gen_random_uuid()",
        "1",
        "'active'",
        &sku,
        &sku,
        &slug,
        &slug,
        &name,
        &name,
        "'Made by the bench'",
        "'Bench'",
        "'{}'::text[]",
        "'{}'::text[]",
        "'{}'::text[]",
        &name,
        "now()",
        "now()",
        "array['PKR', 'USD']",
        "array[150000, 599]",
    ];
    format!("\\set n random(1, 1000000000000000)\n{};\n", pgbench::with_values(INSERT, &values))
}

fn memory(service: &Process) -> Result<(u64, u64)> {
    let id = service.id().context("it runs")?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the kernel tells it")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    Ok((kib("VmRSS:")?, kib("VmHWM:")?))
}
