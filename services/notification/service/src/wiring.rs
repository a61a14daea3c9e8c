//! Puts the adapters together; the only place that names all of them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::auth::Keys;
use mart_chassis::clock::{SystemClock, TimeOrderedIds};
use mart_chassis::http::Api;
use mart_chassis::run::{Service, BackgroundJob};
use mart_chassis::{Config, Database};
use mart_kernel::PageTokenSigner;
use notification_core::UseCases;
use notification_core::application::Couriers;
use notification_core::domain::{Channel, Policy};
use notification_core::ports::{Courier, Store};

use crate::adapters::events::NotificationEventHandlers;
use crate::adapters::http::Http;
use crate::adapters::letters::{Shop, Templates};
use crate::adapters::postgres::PostgresStore;
use crate::adapters::sms::{Sandbox, Twilio};
use crate::adapters::smtp::Smtp;
use crate::generated::{events, http};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Puts the service together.
pub fn wire(config: &Config) -> anyhow::Result<Service> {
    let database = Database::new(config)?;
    let keys = Arc::new(Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?);
    let api = Arc::new(Api::new(keys.clone(), &config.limits));

    let url = config.own_text("SHOP_URL", "where links in letters lead, such as https://shop.example")?;
    let letters = Arc::new(Templates::new(Shop::new(&config.own_or("SHOP_NAME", "mart"), &url)?));
    let (clock, ids, seal) =
        (Arc::new(SystemClock), Arc::new(TimeOrderedIds), PageTokenSigner::new(config.page_token_secret()));
    let timeout = config.own_seconds("SEND_TIMEOUT", Duration::from_mins(1))?;
    let store = PostgresStore::new(database.clone());
    let use_cases =
        UseCases::new(store, letters, couriers(config, timeout)?, clock, ids, seal, policy(config, timeout)?);
    let routes = routes(use_cases.clone(), api);

    let handlers = events::handlers(NotificationEventHandlers::new(use_cases.clone()));
    let at_once = config.own_number("SEND_CONCURRENCY", 1..=1_000, 16)?.try_into()?;
    let jobs = jobs(&use_cases, config.own_seconds("SEND_INTERVAL", Duration::from_secs(1))?, at_once);
    Ok(Service { routes, handlers, database, keys, jobs })
}

/// How letters are tried, by couriers that wait so long for a server.
fn policy(config: &Config, timeout: Duration) -> anyhow::Result<Policy> {
    let usual = Policy::default();
    Ok(Policy {
        backoff: config.own_duration("SEND_BACKOFF", usual.backoff)?,
        longest_backoff: config.own_duration("SEND_MAX_BACKOFF", usual.longest_backoff)?,
        patience: config.own_duration("SEND_MAX_AGE", usual.patience)?,
        // Who takes a letter over finds nobody who still sends it.
        lease: (timeout * 2).try_into()?,
    })
}

/// Who carries letters. Messages to phones go into mailboxes unless `SMS_PROVIDER` names Twilio; in production that stops the start.
fn couriers(config: &Config, timeout: Duration) -> anyhow::Result<Couriers> {
    let url = config.own_text("SMTP_URL", "the mail server, such as smtps://user:password@mail.example")?;
    let from = config.own_or("MAIL_FROM", "mart <no-reply@mart.example>");
    let mail: Arc<dyn Courier> = Arc::new(Smtp::new(&url, &from, timeout)?);
    let production = config.production()?;
    let sms: Arc<dyn Courier> = match config.own_or("SMS_PROVIDER", "sandbox").as_str() {
        "sandbox" => {
            ensure!(
                !production,
                "SMS_PROVIDER: the sandbox sends nothing to phones and is refused where ENVIRONMENT is production: name twilio"
            );
            Arc::new(Sandbox(mail.clone()))
        }
        "twilio" => {
            let account = config.own_text("TWILIO_ACCOUNT_SID", "the account at Twilio, AC…")?;
            let token = config.own_text("TWILIO_AUTH_TOKEN", "the token of that account")?;
            let from = config.own_text("TWILIO_FROM", "the number that messages come from, as E.164")?;
            let url = config.own_or("TWILIO_URL", "https://api.twilio.com");
            Arc::new(Twilio::new(&url, &account, &token, &from, timeout)?)
        }
        other => bail!("SMS_PROVIDER={other:?}: expected sandbox or twilio"),
    };
    Ok(Couriers { mail, sms })
}

/// What time makes due: letters to send, a channel by itself, so that one that does not answer does not hold up the
/// other; so many at once by each.
pub fn jobs<S: Store + Clone + 'static>(use_cases: &UseCases<S>, interval: Duration, at_once: usize) -> Vec<BackgroundJob> {
    let sweep = |name: &'static str, channel: Channel| {
        let use_cases = use_cases.clone();
        BackgroundJob::new(name, interval, move || {
            let use_cases = use_cases.clone();
            async move { use_cases.send_due(channel, at_once).await }
        })
    };
    vec![sweep("mail", Channel::Mail), sweep("sms", Channel::Sms)]
}

/// The operations over use cases, wherever those keep things.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
