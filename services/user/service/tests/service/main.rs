//! The user service on real PostgreSQL and Kafka. One program, because each links the Kafka client anew.

mod http;
mod store;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_user-service");

#[tokio::test]
async fn it_starts_and_is_ready() {
    let app = devstack::testing::App::start("user", PROGRAM, &[]).await;
    let answer = app.client.get(format!("{}/metrics", app.setting.internal_url())).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
}
