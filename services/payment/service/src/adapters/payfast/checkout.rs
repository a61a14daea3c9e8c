//! Creates the form that the customer's browser submits to PayFast.

use axum::http::Request;
use form_urlencoded::Serializer;
use payment_core::domain::Checkout;
use payment_core::ports::{CheckoutRequest, OpenCheckout, ProviderError};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde::Deserialize;

use super::{Merchant, PayFast};
use crate::transport::Transport;

/// The only currency that PayFast accepts.
const CURRENCY: &str = "PKR";
pub(super) const TOKEN: &str = "/Ecommerce/api/Transaction/GetAccessToken";
pub(super) const FORM: &str = "/Ecommerce/api/Transaction/PostTransaction";

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "ACCESS_TOKEN", default)]
    token: String,
}

impl<T: Transport> PayFast<T> {
    /// Returns the form of an attempt with a new token.
    pub(super) async fn open_checkout(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        let CheckoutRequest { attempt, order, payer, amount, at, expires_at } = request;
        if amount.currency().code() != CURRENCY {
            return Err(ProviderError::Rejected("PayFast accepts rupees only".to_owned()));
        }
        let (basket, amount) = (attempt.0.to_string(), amount.amount());
        let token = self.token(&basket, &amount).await?;
        let at = at.get();
        let date = format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second());
        let Merchant { url, id, name, callback, shop, .. } = &self.merchant;
        let page = format!("{shop}/orders/{}", order.0);
        let fields = [
            ("MERCHANT_ID", id.clone()),
            ("MERCHANT_NAME", name.clone()),
            ("TOKEN", token),
            ("PROCCODE", "00".to_owned()),
            ("TXNAMT", amount),
            ("CUSTOMER_MOBILE_NO", payer.phone.clone()),
            ("CUSTOMER_EMAIL_ADDRESS", payer.email.clone()),
            // PayFast does not check this field.
            ("SIGNATURE", basket.clone()),
            ("VERSION", "MERCHANTCART-0.1".to_owned()),
            ("TXNDESC", format!("Order {}", order.0)),
            ("SUCCESS_URL", page.clone()),
            ("FAILURE_URL", page),
            ("CHECKOUT_URL", callback.clone()),
            ("BASKET_ID", basket.clone()),
            ("ORDER_DATE", date),
            ("TRAN_TYPE", "ECOMM_PURCHASE".to_owned()),
            ("CURRENCY_CODE", CURRENCY.to_owned()),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let checkout = Checkout { url: format!("{url}{FORM}"), fields };
        Ok(OpenCheckout { reference: basket, checkout, expires_at: *expires_at })
    }

    /// Requests a token for one checkout. Tokens are not cached, because their lifetime is not documented.
    async fn token(&self, basket: &str, amount: &str) -> Result<String, ProviderError> {
        let unavailable = |error: String| {
            tracing::warn!(error, "PayFast is unavailable");
            ProviderError::Unavailable
        };
        let key = self.merchant.keys.first().map(String::as_str).unwrap_or_default();
        let form = Serializer::new(String::new())
            .append_pair("MERCHANT_ID", &self.merchant.id)
            .append_pair("SECURED_KEY", key)
            .append_pair("BASKET_ID", basket)
            .append_pair("TXNAMT", amount)
            .append_pair("CURRENCY_CODE", CURRENCY)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(TOKEN)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, "mart")
            .body(form.into_bytes())
            .map_err(|error| unavailable(error.to_string()))?;
        let (status, body) = self.transport.send(request).await.map_err(unavailable)?;
        let Token { token } = serde_json::from_slice(&body).unwrap_or(Token { token: String::new() });
        if (200..300).contains(&status) && !token.is_empty() {
            Ok(token)
        } else {
            Err(unavailable(format!("status {status} without a token")))
        }
    }
}
