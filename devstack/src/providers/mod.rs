//! Stripe and PayFast as far as payment sees them, for tests: they hold what they are asked to their rules, and a test plays
//! the customer. Nothing here is theirs but the shape of what is said.

mod payfast;
mod stripe;

use anyhow::Result;
use axum::Router;
use reqwest::{Client, Response};
use time::OffsetDateTime;
use tokio::net::TcpListener;

pub use payfast::FakePayFast;
pub use stripe::FakeStripe;

use crate::sandbox::{Word, sign};

/// Who says something to the mart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    /// And what it signs with.
    Sandbox(&'static str),
    Stripe,
    PayFast,
}

/// What a provider says to the mart, to be sent so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    by: By,
    /// The body, to the byte.
    pub body: String,
    /// How often it is sent.
    pub calls: u8,
    /// How many milliseconds later.
    pub delay_ms: u64,
}

impl Callback {
    /// A word of a sandbox that signs with this.
    pub fn of_sandbox(word: Word, secret: &'static str) -> Self {
        let Word { body, calls, delay_ms } = word;
        Self { by: By::Sandbox(secret), body, calls, delay_ms }
    }

    /// Where it goes.
    pub fn path(&self) -> &'static str {
        match self.by {
            By::Sandbox(_) => "/v1/payment-webhooks/sandbox",
            By::Stripe => "/v1/payment-webhooks/stripe",
            By::PayFast => "/v1/payment-webhooks/payfast",
        }
    }

    /// What goes with it when it is sent at a time.
    pub fn headers(&self, now: OffsetDateTime) -> Vec<(&'static str, String)> {
        let signed = |name: &'static str, secret: &str| {
            vec![("content-type", "application/json".to_owned()), (name, sign(secret, &self.body, now))]
        };
        match self.by {
            By::Sandbox(secret) => signed("sandbox-signature", secret),
            By::Stripe => signed("stripe-signature", FakeStripe::SECRET),
            By::PayFast => vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
        }
    }

    /// Sends it once to the mart at an address.
    pub async fn send(&self, client: &Client, mart: &str) -> reqwest::Result<Response> {
        let mut request = client.post(format!("{mart}{}", self.path())).body(self.body.clone());
        for (name, value) in self.headers(OffsetDateTime::now_utc()) {
            request = request.header(name, value);
        }
        request.send().await
    }
}

/// Serves routes as long as this process runs; their address.
async fn serve(routes: Router) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(format!("http://{address}"))
}

fn owned<const N: usize>(variables: [(&str, &str); N]) -> Vec<(String, String)> {
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
