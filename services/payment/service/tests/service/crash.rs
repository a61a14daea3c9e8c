//! Kills payment before and after every commit of a payment. The money is captured once and refunded once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devstack::call::KafkaEvent;
use devstack::sandbox::{Checkouts, SandboxConfig, routes};
use devstack::testing::{App, Servers, events};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;
use crate::events::publish_awaiting;

/// Starts a sandbox in this process, which survives the kills of payment, and returns its address.
async fn sandbox(callback: String, key: &str, secret: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let page = format!("http://{address}");
    let config = SandboxConfig { address, page, callback, key: key.to_owned(), secret: secret.to_owned() };
    let checkouts: Arc<Mutex<Checkouts>> = Arc::default();
    let routes = routes(checkouts, config, Arc::new(time::OffsetDateTime::now_utc)).expect("routes");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// A payment service that is started again after each kill.
struct Restarted {
    app: Option<App>,
    kills: usize,
}

impl Restarted {
    async fn app(&mut self) -> &App {
        let ended = self.app.as_mut().is_some_and(|app| app.process.ended().is_some());
        if ended {
            self.kills += 1;
            let app = self.app.take().expect("started").kill_and_start().await;
            self.app = Some(app);
        }
        self.app.as_ref().expect("started")
    }

    /// Repeats a request until the response meets a condition, as a client does that received no response.
    async fn until(
        &mut self,
        method: Method,
        path: &str,
        role: &str,
        body: Option<Value>,
        condition: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        for _ in 0..1200 {
            let app = self.app().await;
            let token = app.spec.keys.token(role, "ayesha").expect("signed");
            let url = format!("{}{path}", app.spec.url());
            let mut request =
                app.client.request(method.clone(), url).bearer_auth(token).timeout(Duration::from_secs(30));
            if let Some(body) = &body {
                request = request.json(body);
            }
            if let Ok(response) = request.send().await {
                last = response.json().await.unwrap_or(Value::Null);
                if condition(&last) {
                    return last;
                }
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{path} did not meet the condition: {last}");
    }
}

/// Pays and refunds an order with a payment service that is killed when it reaches a failpoint for the `nth` time, from 0. Returns
/// whether it was killed.
async fn pay_and_refund(failpoint: &str, nth: usize) -> bool {
    let mut spec = Servers::from_env().service("payment", PROGRAM).await.expect("prepared");
    let callback = format!("{}/v1/payment-webhooks/sandbox", spec.url());
    let (key, secret) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let url = sandbox(callback, &key, &secret).await;
    spec.more = [
        ("SANDBOX_URL", url.as_str()),
        ("SANDBOX_KEY", &key),
        ("SANDBOX_SECRETS", &secret),
        ("ATTEMPT_POLL_DELAY", "1s"),
        ("REFUND_RETRY_DELAY", "200ms"),
        ("ATTEMPT_POLL_INTERVAL", "200ms"),
        ("REFUND_INTERVAL", "200ms"),
        ("CALLBACK_INTERVAL", "200ms"),
        ("KILL_AT", &format!("{failpoint}:{nth}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let app = App::of_consumer(spec, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    let mut payment = Restarted { app: Some(app), kills: 0 };
    publish_awaiting(payment.app().await, order).await;
    let path = format!("/v1/payments/{order}");
    payment.until(Method::GET, &path, "admin", None, |body| body["payment"]["orderId"].is_string()).await;

    let attempts = format!("{path}/attempts");
    let started = payment.until(Method::POST, &attempts, "customer", Some(json!({})), |body| {
        body["attempt"]["checkout"]["url"].is_string()
    });
    let page = started.await["attempt"]["checkout"]["url"].as_str().expect("a page").to_owned();
    let pay = async {
        let paid = devstack::http::client().post(&page).json(&json!({ "action": "pay", "calls": 2 })).send().await;
        assert!(paid.expect("a response").status().is_success());
    };
    let paid =
        payment.until(Method::GET, &path, "admin", None, |body| body["payment"]["status"] == "PAYMENT_STATUS_PAID");
    tokio::join!(pay, paid);

    let refund = format!("/v1/admin/payments/{order}/refund");
    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    payment.until(Method::POST, &refund, "admin", Some(body), |body| body["payment"]["refunds"][0].is_object()).await;
    let refunded = |body: &Value| body["payment"]["status"] == "PAYMENT_STATUS_REFUNDED";
    let body = payment.until(Method::GET, &path, "admin", None, refunded).await;
    for (list, count) in [("attempts", 1), ("transactions", 2), ("refunds", 1), ("tasks", 0)] {
        assert_eq!(body["payment"][list].as_array().map(Vec::len), Some(count), "{failpoint}:{nth}, {list}: {body}");
    }
    let app = payment.app().await;
    app.flushed().await;
    let mut events: Vec<KafkaEvent> = events(&app.spec).await;
    // The relay may publish an event twice, with the same id.
    events.sort_by(|one, other| one.header("ce_id").cmp(other.header("ce_id")));
    events.dedup_by(|one, other| one.header("ce_id") == other.header("ce_id"));
    let mut kinds: Vec<&str> = events.iter().map(KafkaEvent::name).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["PaymentCaptured", "PaymentRefunded"], "{failpoint}:{nth}");
    payment.kills > 0
}

/// Kills payment at each time that it reaches the failpoint, one run per kill.
async fn kill_at_each(failpoint: &str) {
    let mut kills = 0;
    for nth in 0..40 {
        if !pay_and_refund(failpoint, nth).await {
            break;
        }
        kills += 1;
    }
    assert!((5..40).contains(&kills), "{failpoint}: {kills} kills are not one per commit");
}

#[tokio::test]
async fn a_kill_before_any_commit_loses_nothing() {
    kill_at_each("commit.before").await;
}

#[tokio::test]
async fn a_kill_after_any_commit_repeats_nothing() {
    kill_at_each("commit.after").await;
}
