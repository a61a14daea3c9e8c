//! The requests of a scenario: those of callers through the gateway, and those about payments to the providers.

use devstack::providers::Callback;
use serde_json::Value;
use time::OffsetDateTime;

use super::scenario::OnServers;
use crate::providers;
use crate::scene::{self, Answer, Caller};

impl OnServers {
    /// Sends a request through the gateway, and includes the aggregates that it has changed in this scenario.
    pub(crate) async fn send(
        &mut self,
        who: Caller<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let verb = method.parse().expect("a method");
        let mut request = self.client.request(verb, format!("{}{path}", self.running.gateway.url()));
        if let Some((role, subject)) = who {
            // An id from the mart is unique already.
            let given = subject.parse::<uuid::Uuid>().is_ok();
            let subject = if given { subject.to_owned() } else { self.own(subject) };
            request = request.bearer_auth(self.running.keys.token(role, &subject).expect("signed"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("answered");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body: Value = answer.json().await.unwrap_or(Value::Null);
        // The gateway's own rejections have no code; scenarios name the code that the service has for the status.
        if let (true, Some(code)) = (body["code"].is_null(), refusal(status)) {
            body["code"] = code.into();
        }
        assert_ne!(status, 500, "{body}");
        if method != "GET" && status < 300 {
            scene::ids(&body, &mut self.keys);
        }
        Answer { status, headers, body }
    }

    /// Acts on a checkout as its customer. An immediate callback has arrived when this returns.
    pub(crate) async fn act(&self, checkout: &Value, action: &Value) {
        if !providers::is_sandbox(checkout) {
            let action = serde_json::from_value(action.clone()).expect("an action");
            let acted = self.running.providers.act(checkout, &action, OffsetDateTime::now_utc());
            let callback = acted.unwrap_or_else(|refused| panic!("the provider rejects the action: {refused:?}"));
            return self.deliver_callback(&callback).await;
        }
        let answer = self.client.post(providers::page(checkout)).json(action).send().await.expect("answered");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "the sandbox rejects the action: {status} {text}");
    }

    /// Delivers a callback of a provider through the gateway.
    pub(crate) async fn deliver_callback(&self, callback: &Callback) {
        for _ in 0..callback.calls {
            let answer = callback.send(&self.client, &self.running.gateway.url()).await.expect("answered");
            assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        }
    }
}

/// Returns the code that a service has for a status that the gateway returns, too.
fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("UNAUTHENTICATED"),
        403 => Some("FORBIDDEN"),
        _ => None,
    }
}
