//! `service healthcheck`, which containers call.

use crate::fixture::Shelf;

#[tokio::test]
async fn a_health_check_succeeds_only_while_the_service_is_ready() {
    let Shelf { spec, mut process, .. } = Shelf::start(&[]).await;
    spec.healthcheck().await.expect("it is ready");
    process.kill().await;
    let error = format!("{:#}", spec.healthcheck().await.expect_err("nothing listens"));
    let address = format!("127.0.0.1:{}", spec.internal);
    assert!(error.contains(&format!("the service does not answer at {address}")), "{error}");

    let unreachable = devstack::service::ServiceSpec { database: nowhere(), ..spec };
    let process = unreachable.start().expect("started");
    devstack::testing::until("the service answers", async || {
        !format!("{:#}", unreachable.healthcheck().await.expect_err("it has no database"))
            .contains("does not answer at")
    })
    .await;
    let error = format!("{:#}", unreachable.healthcheck().await.expect_err("it has no database"));
    assert!(error.contains("not ready (503 Service Unavailable): the database does not answer"), "{error}");
    drop(process);
}

/// Returns URLs of a database to which nothing listens.
fn nowhere() -> devstack::databases::Urls {
    let url = "postgres://none:none@127.0.0.1:9/none".to_owned();
    devstack::databases::Urls { owner: url.clone(), app: url }
}
