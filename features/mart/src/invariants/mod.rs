//! The invariants of the whole mart. They hold when no event is in flight, and are checked in databases and topics only.

mod databases;
mod events;
mod mails;
mod orders;
mod payments;
mod products;
mod stock;
mod users;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;

use databases::{pairs, rows, triples};

/// The databases and the Kafka cluster of a mart.
#[derive(Debug, Clone)]
pub struct Mart {
    /// The URL of each service's database, by the service's name.
    pub databases: BTreeMap<String, String>,
    /// Kafka's address.
    pub brokers: String,
    /// The prefix of every topic.
    pub topic_prefix: String,
}

impl Mart {
    /// Returns the current violations of the invariants.
    pub async fn violations(&self) -> Result<Vec<String>> {
        let (databases, topic_prefix) = (&self.databases, self.topic_prefix.as_str());
        let mut violations = self.violations_within_databases().await?;
        violations.extend(stock::disagreements(databases).await?);
        violations.extend(payments::disagreements(databases).await?);
        violations.extend(products::stale(databases).await?);
        let history = events::history(databases, &self.brokers, topic_prefix).await?;
        violations.extend(events::differences(databases, topic_prefix, &history).await?);
        if let Some(url) = databases.get("order") {
            let orders: BTreeMap<String, String> = pairs(url, orders::ORDERS).await?.into_iter().collect();
            violations.extend(orders::histories(&orders, &history));
            if let Some(url) = databases.get("notification") {
                violations.extend(mails::violations(&orders, &history, triples(url, mails::MAILS).await?));
            }
        }
        Ok(violations)
    }

    /// Returns the violations that a single database shows.
    async fn violations_within_databases(&self) -> Result<Vec<String>> {
        let checks: [(&str, &[(&str, &'static str)]); 4] = [
            ("inventory", &stock::CHECKS),
            ("order", &orders::CHECKS),
            ("notification", &mails::CHECKS),
            ("user", &users::CHECKS),
        ];
        let mut violations = Vec::new();
        for (service, checks) in checks {
            let Some(url) = self.databases.get(service) else { continue };
            for &(rule, sql) in checks {
                violations.extend(rows(url, sql).await?.into_iter().map(|row| format!("{rule}: {row}")));
            }
        }
        for (service, url) in &self.databases {
            for (rule, sql) in events::EVERYWHERE {
                violations.extend(rows(url, sql).await?.into_iter().map(|row| format!("{service}: {rule}: {row}")));
            }
        }
        Ok(violations)
    }

    /// Repeats the checks until there is no violation or the timeout has passed. Returns the violations of the last check.
    pub async fn violations_after(&self, timeout: Duration) -> Result<Vec<String>> {
        let begun = Instant::now();
        loop {
            let violations = self.violations().await?;
            if violations.is_empty() || begun.elapsed() > timeout {
                return Ok(violations);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
