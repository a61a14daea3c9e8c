//! Creates the adapters and connects them to the use cases. No other module names all adapters.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use include_dir::{Dir, include_dir};
use mart_chassis::Config;
use mart_chassis::db::EventDatabase;
use mart_chassis::http::Api;
use mart_chassis::run::{BackgroundJob, Service};
use mart_chassis::wiring::CommonAdapters;
use notification_core::UseCases;
use notification_core::application::MessageSenders;
use notification_core::domain::Channel;
use notification_core::ports::{MessageSender, Store};
use secrecy::{ExposeSecret, SecretString};

use crate::adapters::events::{NotificationEventHandlers, NotificationMessages};
use crate::adapters::http::Http;
use crate::adapters::postgres::PostgresStore;
use crate::adapters::renderer::{Shop, Templates};
use crate::adapters::sms::{Sandbox, Twilio};
use crate::adapters::smtp::Smtp;
use crate::generated::{events, http};
use crate::settings::{Settings, Sms};

/// The migrations of this service's own tables.
pub static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// Creates the service with its adapters.
pub fn wire(config: &Config, settings: &Settings) -> anyhow::Result<Service> {
    let CommonAdapters { database, clock, ids, page_tokens } = CommonAdapters::new(config)?;
    let api = Api::load(config)?;

    let Settings { send_interval, send_concurrency, send_timeout, policy, .. } = *settings;
    let renderer = Arc::new(Templates::new(Shop::new(&settings.shop_name, &settings.shop_url)));
    let senders = senders(&settings.smtp_url, &settings.mail_from, &settings.sms, send_timeout)?;
    let store = PostgresStore(EventDatabase::new(database.clone(), events::record::<NotificationMessages>));
    let use_cases = UseCases::new(store, renderer, senders, clock, ids, page_tokens, policy);

    let handlers = events::handlers(NotificationEventHandlers::new(use_cases.clone()));
    let jobs = jobs(&use_cases, send_interval, send_concurrency);
    Ok(Service { routes: routes(use_cases, api.clone()), handlers, database, keys: api.keys(), jobs })
}

/// Creates the sender of each channel.
fn senders(smtp_url: &SecretString, mail_from: &str, sms: &Sms, timeout: Duration) -> anyhow::Result<MessageSenders> {
    let mail: Arc<dyn MessageSender> = Arc::new(Smtp::new(smtp_url.expose_secret(), mail_from, timeout)?);
    let sms: Arc<dyn MessageSender> = match sms {
        Sms::Sandbox => Arc::new(Sandbox(mail.clone())),
        Sms::Twilio { url, account, token, from } => {
            Arc::new(Twilio::new(url, account, token.expose_secret(), from, timeout)?)
        }
    };
    Ok(MessageSenders { mail, sms })
}

/// Returns the background jobs that send due messages: one for each channel, so that an unavailable server does not delay the
/// other channel. Each sends up to `concurrency` messages at once.
pub fn jobs<S: Store + Clone + 'static>(
    use_cases: &UseCases<S>,
    interval: Duration,
    concurrency: usize,
) -> Vec<BackgroundJob> {
    let job = |name: &'static str, channel: Channel| {
        BackgroundJob::new(name, interval, use_cases.clone(), move |use_cases| async move {
            use_cases.send_due_notifications(channel, concurrency).await
        })
    };
    vec![job("send-mail", Channel::Mail), job("send-sms", Channel::Sms)]
}

/// Returns the routes of the operations, over any store.
pub fn routes<S: Store + 'static>(use_cases: UseCases<S>, api: Arc<Api>) -> Router {
    http::router(Arc::new(Http::new(use_cases)), api)
}
