//! The state of a scenario. A mailbox is read from the topic of links.

use std::sync::Arc;
use std::time::Duration;

use features::{Answer, Hosted, InProcess, Mart};
use mart_kernel::PageTokenSigner;
use mart_kernel::ids::SequentialIds;
use serde_json::{Value, json};
use user_core::UseCases;
use user_core::domain::Policy;
use user_core::memory::{CountingSecrets, MemoryStore, PlainHasher};
use user_service::adapters::events::UserMessages;
use user_service::adapters::tokens::EdDsa;
use user_service::generated::events;
use user_service::wiring;

/// Background jobs run often.
pub(crate) const VARIABLES: &[(&str, &str)] = &[("PURGE_INTERVAL", "200ms")];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The last response.
    pub(crate) answer: Option<Answer>,
    /// The refresh tokens of tabs, by name.
    pub(crate) tabs: std::collections::HashMap<String, String>,
    /// The id of the user who logged in last.
    pub(crate) user: String,
    /// Their access token.
    access: String,
    /// The keys of links that were found already.
    links: Vec<String>,
    /// The secrets of received links that were not used yet, the newest last.
    pub(crate) mailbox: Vec<String>,
    /// The password of the last registration, by name.
    pub(crate) passwords: std::collections::HashMap<String, String>,
}

/// Returns a mart with the user service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryStore::default(), Arc::new(SequentialIds::default()));
        let (secrets, page_tokens) =
            (Arc::new(CountingSecrets::default()), PageTokenSigner::new(b"a scenario's secret"));
        let use_cases = UseCases::new(store.clone(), PlainHasher, secrets, clock, ids, page_tokens, Policy::default());
        let folder = features::keys().folder();
        let signer = EdDsa::load(folder, devstack::keys::ISSUER, devstack::keys::AUDIENCE).expect("keys");
        // The API checks tokens by the real time, not by the scenario's clock.
        let signer_clock = Arc::new(mart_chassis::clock::SystemClock);
        vec![Hosted {
            name: "user",
            routes: wiring::routes(use_cases.clone(), Arc::new(signer), signer_clock, api),
            handlers: None,
            outbox: Box::new(move || store.events().iter().map(events::record::<UserMessages>).collect()),
            jobs: vec![wiring::purge_expired(use_cases, Duration::MAX)],
        }]
    })
}

impl features::Scenario for World {
    fn mart(&mut self) -> &mut Mart {
        &mut self.mart
    }
}

impl World {
    async fn new() -> Self {
        let (tabs, links) = (std::collections::HashMap::new(), Vec::new());
        Self {
            mart: Mart::new().await,
            answer: None,
            tabs,
            user: String::new(),
            access: String::new(),
            links,
            mailbox: Vec::new(),
            passwords: std::collections::HashMap::new(),
        }
    }

    /// Returns a mailbox that is unique to the scenario.
    pub(crate) fn email(&self, name: &str) -> String {
        format!("{}@example.com", self.mart.own(name))
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.mart.send(None, "POST", path, Some(body), &[]).await;
        let body = answer.body.clone();
        self.answer = Some(answer);
        body
    }

    pub(crate) async fn log_in(&mut self, name: &str, password: &str, tab: &str) {
        let body = json!({ "email": self.email(name), "password": password });
        let opened = self.post("/v1/sessions/log-in", body).await;
        self.store_tokens(tab, &opened);
        if let Some(id) = opened["user"]["userId"].as_str() {
            id.clone_into(&mut self.user);
        }
    }

    /// Stores the tokens of a response for a tab.
    pub(crate) fn store_tokens(&mut self, tab: &str, opened: &Value) {
        if let Some(token) = opened["tokens"]["refreshToken"].as_str() {
            self.tabs.insert(tab.to_owned(), token.to_owned());
            opened["tokens"]["accessToken"].as_str().unwrap_or_default().clone_into(&mut self.access);
        }
    }

    /// Returns the access token of the user who logged in last.
    pub(crate) fn access_token(&self) -> String {
        self.access.clone()
    }

    /// Returns the last response.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("a request was sent")
    }

    /// Waits for a new link to a mailbox and returns its secret.
    pub(crate) async fn link(&mut self, name: &str, kind: &str) -> String {
        let (email, known) = (self.email(name).to_lowercase(), self.links.clone());
        let payload = |record: &features::Record| {
            devstack::contracts::decode(&record.event_type, &record.payload).unwrap_or_default()
        };
        let matches = |record: &features::Record| {
            record.event_type.ends_with(kind)
                && !known.contains(&record.key)
                && payload(record)["link"]["email"] == email
        };
        let found = self.mart.follow("a link to the mailbox", matches).await;
        self.links.push(found.key.clone());
        payload(&found)["link"]["token"].as_str().unwrap_or_default().to_owned()
    }
}
