//! Waits for runs of background jobs, which a service counts in its metrics.

use std::collections::BTreeMap;

use devstack::testing::until;

use super::running::{Running, RunningService};

impl Running {
    /// Returns the number of runs of each background job of a service.
    async fn job_runs(&self, service: &RunningService) -> BTreeMap<String, f64> {
        let url = format!("{}/metrics", service.app.spec.internal_url());
        let answer = service.app.client.get(url).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let runs = text.lines().filter(|line| line.starts_with("background_job_runs_total{"));
        let run = |line: &str| Some((line.split(' ').next()?.to_owned(), line.rsplit(' ').next()?.parse().ok()?));
        runs.filter_map(run).collect()
    }

    /// Waits until every background job of a service has begun and ended a run after now.
    pub(super) async fn jobs_ran(&self, service: &RunningService) {
        // A job that has not run yet has no counter yet.
        let before = self.job_runs(service).await;
        until("every background job has run", async || {
            let now = self.job_runs(service).await;
            let twice = |(job, runs): (&String, &f64)| *runs >= before.get(job).copied().unwrap_or(0.0) + 2.0;
            now.len() == service.jobs && now.iter().all(twice)
        })
        .await;
    }
}
