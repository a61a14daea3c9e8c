//! Creates products over HTTP, each with a receipt, its prices and an outbox row, while the relay publishes the events.

use anyhow::Result;

use crate::environment::Environment;
use crate::load::{Posts, memory};
use crate::{Pair, Scale, pgbench, statements};

/// Returns the pairs, and the service's resident and peak memory after them in KiB.
pub(crate) async fn measure(environment: &mut Environment, scale: Scale) -> Result<(Vec<Pair>, (u64, u64))> {
    let spec = environment.service("product", scale).await?;
    let service = spec.start_ready().await?;
    let script = format!("{}{};\n", pgbench::UNIQUE, statements::create_product()?);
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
