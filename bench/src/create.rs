//! Creates products over HTTP, each with a receipt, its prices and an outbox row, while the relay publishes the events.

use anyhow::Result;
use product_service::adapters::postgres::INSERT;

use crate::environment::Environment;
use crate::load::{Posts, memory};
use crate::{Pair, Scale, pgbench};

/// Returns the pairs, and the service's resident and peak memory after them in KiB.
pub(crate) async fn measure(environment: &mut Environment, scale: Scale) -> Result<(Vec<Pair>, (u64, u64))> {
    let spec = environment.service("product", scale).await?;
    let service = spec.start_ready().await?;
    let script = script();
    let posts = Posts::new(&spec, "admin", "/v1/products", |n| {
        format!(
            r#"{{"sku":"B-{n}","slug":"b-{n}","name":"Product {n}","description":"Made by the bench","category":"Bench","status":"PRODUCT_STATUS_ACTIVE","prices":[{{"amount":"1500.00","currencyCode":"PKR"}},{{"amount":"5.99","currencyCode":"USD"}}]}}"#
        )
    })?;
    // Warms up caches and plans of both.
    let warm = Scale { round: scale.round.min(std::time::Duration::from_secs(2)), ..scale };
    posts.run(warm).await?;
    let mut pairs = Vec::new();
    for nth in 0..scale.pairs {
        let mart = posts.run(scale).await?;
        let bare = pgbench::run(environment.postgres.bin(), &spec.database.owner, &script, scale).await?;
        println!("create {nth}: {mart:.0}/s over HTTP, {bare:.0}/s by pgbench");
        pairs.push((mart, bare));
    }
    let memory = memory(&service)?;
    service.stop(std::time::Duration::from_secs(30)).await;
    Ok((pairs, memory))
}

/// Returns a pgbench script with the service's own statement and values of the same sizes.
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
