//! The settings of this service only; mart_chassis::Config has those of every service.

use std::time::Duration;

use mart_chassis::config::SettingsReader;
use notification_core::domain::Policy;
use secrecy::{ExposeSecret, SecretString};

use crate::adapters::smtp::Smtp;

/// The settings of the notification service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `SHOP_URL`: the address of the shop's pages, to which links in messages lead.
    pub shop_url: String,
    /// `SHOP_NAME`: the shop's name in messages.
    pub shop_name: String,
    /// `SMTP_URL`: the mail server. A secret, because it contains the password.
    pub smtp_url: SecretString,
    /// `MAIL_FROM`: the sender of mails.
    pub mail_from: String,
    /// `SEND_TIMEOUT`: the time limit for one message.
    pub send_timeout: Duration,
    /// `SEND_CONCURRENCY`: the number of messages that are sent concurrently, by each channel.
    pub send_concurrency: usize,
    /// `SEND_INTERVAL`: the time between two searches for due messages.
    pub send_interval: Duration,
    /// `SEND_BACKOFF`, `SEND_MAX_BACKOFF`, `SEND_MAX_AGE`: the retries of messages.
    pub policy: Policy,
    /// `SMS_PROVIDER`: the provider of text messages.
    pub sms: Sms,
}

/// The provider of text messages.
#[derive(Debug, Clone)]
pub enum Sms {
    /// Sends text messages as mails. It is rejected in production.
    Sandbox,
    /// Twilio.
    Twilio {
        /// `TWILIO_URL`: the API's address.
        url: String,
        /// `TWILIO_ACCOUNT_SID`: the account.
        account: String,
        /// `TWILIO_AUTH_TOKEN`: the account's token.
        token: SecretString,
        /// `TWILIO_FROM`: the sender's number in E.164 form.
        from: String,
    },
}

impl Settings {
    /// Reads the settings and reports their faults to the reader.
    pub fn read(env: &mut SettingsReader) -> Self {
        let send_timeout = env.setting_duration("SEND_TIMEOUT", Duration::from_mins(1));
        let default = Policy::default();
        let smtp_url = env.setting_secret("SMTP_URL", "a mail server, such as smtps://user:password@mail.example");
        if !smtp_url.expose_secret().is_empty() && !Smtp::is_server(smtp_url.expose_secret()) {
            let fault =
                "(not shown): expected smtps://user:password@mail.example or smtp://mail.example:587?tls=required";
            env.fault("SMTP_URL", fault);
        }
        let mail_from = env.setting_or("MAIL_FROM", "mart <no-reply@mart.example>");
        if !Smtp::is_mailbox(&mail_from) {
            env.fault("MAIL_FROM", format!("{mail_from:?}: expected a mailbox, such as Mart <mart@mart.example>"));
        }
        Self {
            shop_url: env.setting_url("SHOP_URL", "the address of the shop, such as https://shop.example", None),
            shop_name: env.setting_or("SHOP_NAME", "mart"),
            smtp_url,
            mail_from,
            send_timeout,
            send_concurrency: env.setting_number("SEND_CONCURRENCY", 1..=1_000, 16),
            send_interval: env.setting_duration("SEND_INTERVAL", Duration::from_secs(1)),
            policy: Policy {
                backoff: env.setting_duration("SEND_BACKOFF", default.backoff),
                max_backoff: env.setting_duration("SEND_MAX_BACKOFF", default.max_backoff),
                max_age: env.setting_duration("SEND_MAX_AGE", default.max_age),
                // After twice the timeout the previous sender has given up.
                lease: (send_timeout * 2).try_into().unwrap_or(default.lease),
            },
            sms: sms(env),
        }
    }
}

fn sms(env: &mut SettingsReader) -> Sms {
    match env.setting_or("SMS_PROVIDER", "sandbox").as_str() {
        "sandbox" => {
            if env.is_production() {
                env.fault(
                    "SMS_PROVIDER",
                    "the sandbox sends no text messages and is rejected in production: use twilio",
                );
            }
            Sms::Sandbox
        }
        "twilio" => Sms::Twilio {
            account: env.setting_text("TWILIO_ACCOUNT_SID", "the account at Twilio, AC…"),
            token: env.setting_secret("TWILIO_AUTH_TOKEN", "the account's token"),
            from: env.setting_text("TWILIO_FROM", "the sender's number in E.164 form"),
            url: env.setting_url("TWILIO_URL", "Twilio's API", Some("https://api.twilio.com")),
        },
        other => {
            env.fault("SMS_PROVIDER", format!("{other:?}: expected sandbox or twilio"));
            Sms::Sandbox
        }
    }
}
