//! Counts and discards the dead letters about a scenario's aggregates.

use mart_chassis::sql;
use sqlx::Row;

use super::scenario::OnServers;

impl OnServers {
    /// Returns the number of dead letters about the scenario's aggregates.
    pub(crate) async fn dead(&self) -> usize {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let mut dead = 0;
        for service in self.running.services.values() {
            let query = sql!(
                "select count(distinct event) from inbox where key = any($keys) and dead_at is not null",
                keys = &keys,
            );
            dead += service.count(query).await;
        }
        usize::try_from(dead).unwrap_or_default()
    }

    /// Discards the scenario's dead letters, as an operator would.
    pub(crate) async fn discard(&self) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        for service in self.running.services.values() {
            let dead = sql!("select position from inbox where key = any($keys) and dead_at is not null", keys = &keys);
            for row in dead.fetch_all(&service.database).await.expect("queried") {
                let position: i64 = row.get("position");
                let url = format!("{}/dead-letters/{position}", service.app.spec.internal_url());
                let answer = service.app.client.delete(url).send().await.expect("answered");
                assert!(answer.status().is_success(), "{answer:?}");
            }
        }
    }
}
