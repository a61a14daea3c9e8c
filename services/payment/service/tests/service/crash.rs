//! Payment is killed at every commit of a payment's life, before and after it: the money comes in once and goes back once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devstack::call::Seen;
use devstack::sandbox::{Books, ServiceSpec, routes};
use devstack::testing::{App, Servers, events};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;
use crate::events::tell_awaiting;

/// A sandbox in this process, which payment's end does not touch; its address.
async fn sandbox(callback: String, key: &str, secret: &str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let page = format!("http://{address}");
    let spec = ServiceSpec { address, page, callback, key: key.to_owned(), secret: secret.to_owned() };
    let decider: Arc<Mutex<Books>> = Arc::default();
    let routes = routes(decider, spec, Arc::new(time::OffsetDateTime::now_utc)).expect("routes");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

/// Payment, which is started again whenever it has killed itself.
struct Mortal {
    app: Option<App>,
    deaths: usize,
}

impl Mortal {
    async fn app(&mut self) -> &App {
        let ended = self.app.as_mut().is_some_and(|app| app.process.ended().is_some());
        if ended {
            self.deaths += 1;
            let app = self.app.take().expect("it is there").kill_and_start().await;
            self.app = Some(app);
        }
        self.app.as_ref().expect("it is there")
    }

    /// Asks until the answer is so, as a client does whose request got none.
    async fn until(
        &mut self,
        method: Method,
        path: &str,
        role: &str,
        body: Option<Value>,
        so: impl Fn(&Value) -> bool,
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
            if let Ok(answer) = request.send().await {
                last = answer.json().await.unwrap_or(Value::Null);
                if so(&last) {
                    return last;
                }
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{path} never answers so: {last}");
    }
}

/// The whole life of a payment, with a payment service that kills itself at the `nth` passing of a point; whether it did.
async fn life(point: &str, nth: usize) -> bool {
    let mut spec = Servers::of_this_run().service("payment", PROGRAM).await.expect("prepared");
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
        ("KILL_AT", &format!("{point}:{nth}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let app = App::of_consumer(spec, &["mart.order.v1"]).await;
    let order = Uuid::new_v4();
    let mut payment = Mortal { app: Some(app), deaths: 0 };
    tell_awaiting(payment.app().await, order).await;
    let path = format!("/v1/payments/{order}");
    payment.until(Method::GET, &path, "admin", None, |told| told["payment"]["orderId"].is_string()).await;

    let attempts = format!("{path}/attempts");
    let started = payment.until(Method::POST, &attempts, "customer", Some(json!({})), |told| {
        told["attempt"]["checkout"]["url"].is_string()
    });
    let page = started.await["attempt"]["checkout"]["url"].as_str().expect("a page").to_owned();
    let pay = async {
        let paid = devstack::http::client().post(&page).json(&json!({ "action": "pay", "calls": 2 })).send().await;
        assert!(paid.expect("answered").status().is_success());
    };
    let paid =
        payment.until(Method::GET, &path, "admin", None, |told| told["payment"]["status"] == "PAYMENT_STATUS_PAID");
    tokio::join!(pay, paid);

    let refund = format!("/v1/admin/payments/{order}/refund");
    let body = json!({ "reason": "broken", "refundId": Uuid::new_v4() });
    payment.until(Method::POST, &refund, "admin", Some(body), |told| told["payment"]["refunds"][0].is_object()).await;
    let done = |told: &Value| told["payment"]["status"] == "PAYMENT_STATUS_REFUNDED";
    let told = payment.until(Method::GET, &path, "admin", None, done).await;
    for (list, count) in [("attempts", 1), ("transactions", 2), ("refunds", 1), ("tasks", 0)] {
        assert_eq!(told["payment"][list].as_array().map(Vec::len), Some(count), "{point}:{nth}, {list}: {told}");
    }
    let app = payment.app().await;
    app.flushed().await;
    let mut told: Vec<Seen> = events(&app.spec).await;
    // The relay may tell an event twice; its id says that it is the same.
    told.sort_by(|one, other| one.header("ce_id").cmp(other.header("ce_id")));
    told.dedup_by(|one, other| one.header("ce_id") == other.header("ce_id"));
    let mut kinds: Vec<&str> = told.iter().map(Seen::name).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["PaymentCaptured", "PaymentRefunded"], "{point}:{nth}");
    payment.deaths > 0
}

/// Every passing until one is not reached any more.
async fn lives(point: &str) {
    let mut deaths = 0;
    for nth in 0..40 {
        if !life(point, nth).await {
            break;
        }
        deaths += 1;
    }
    assert!((5..40).contains(&deaths), "{point}: it was killed {deaths} times, so not at every commit");
}

#[tokio::test]
async fn it_is_killed_before_every_commit() {
    lives("commit.before").await;
}

#[tokio::test]
async fn it_is_killed_after_every_commit() {
    lives("commit.after").await;
}
