//! Fakes of Stripe and PayFast for tests. They implement the part that payment uses, validate its requests, and let a test act as
//! the customer. Only the messages have the format of the real providers.

mod payfast;
mod stripe;

use anyhow::Result;
use axum::Router;
use reqwest::{Client, Response};
use time::OffsetDateTime;
use tokio::net::TcpListener;

pub use payfast::FakePayFast;
pub use stripe::FakeStripe;

use crate::sandbox::{WebhookDelivery, sign};

/// The sender of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sender {
    /// The sandbox, with the secret that signs its webhooks.
    Sandbox(&'static str),
    Stripe,
    PayFast,
}

/// A webhook to send to the mart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    sender: Sender,
    /// The exact body.
    pub body: String,
    /// How often the webhook is sent.
    pub calls: u8,
    /// The delay in milliseconds.
    pub delay_ms: u64,
}

impl Callback {
    /// Creates the callback of a sandbox's webhook, which this secret signs.
    pub fn from_sandbox(webhook: WebhookDelivery, secret: &'static str) -> Self {
        let WebhookDelivery { body, calls, delay_ms } = webhook;
        Self { sender: Sender::Sandbox(secret), body, calls, delay_ms }
    }

    /// Returns the path of the operation that receives the webhook.
    pub fn path(&self) -> &'static str {
        match self.sender {
            Sender::Sandbox(_) => "/v1/payment-webhooks/sandbox",
            Sender::Stripe => "/v1/payment-webhooks/stripe",
            Sender::PayFast => "/v1/payment-webhooks/payfast",
        }
    }

    /// Returns the headers, with the signature at this time.
    pub fn headers(&self, now: OffsetDateTime) -> Vec<(&'static str, String)> {
        let signed = |name: &'static str, secret: &str| {
            vec![("content-type", "application/json".to_owned()), (name, sign(secret, &self.body, now))]
        };
        match self.sender {
            Sender::Sandbox(secret) => signed("sandbox-signature", secret),
            Sender::Stripe => signed("stripe-signature", FakeStripe::SECRET),
            Sender::PayFast => vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        }
    }

    /// Sends the webhook once to the mart at a base URL.
    pub async fn send(&self, client: &Client, mart: &str) -> reqwest::Result<Response> {
        let mut request = client.post(format!("{mart}{}", self.path())).body(self.body.clone());
        for (name, value) in self.headers(OffsetDateTime::now_utc()) {
            request = request.header(name, value);
        }
        request.send().await
    }
}

/// Serves routes until the process ends. Returns their base URL.
async fn serve(routes: Router) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}

fn owned<const N: usize>(variables: [(&str, &str); N]) -> Vec<(String, String)> {
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
