//! What a scenario of user sees and remembers. The mailbox is the topic that links are told on.

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

/// Sweeps look often.
pub(crate) const VARIABLES: &[(&str, &str)] = &[("PURGE_INTERVAL", "200ms")];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The last answer.
    pub(crate) answer: Option<Answer>,
    /// The refresh tokens that tabs have, by their names.
    pub(crate) tabs: std::collections::HashMap<String, String>,
    /// The id of who logged in last, and his access token.
    pub(crate) user: String,
    access: String,
    /// Links that were looked up already.
    links: Vec<String>,
    /// Secrets of links that came and were not used yet, the newest last.
    pub(crate) mailbox: Vec<String>,
    /// The passwords that addresses were registered with last, by whose they are.
    pub(crate) named: std::collections::HashMap<String, String>,
}

/// User by itself.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryStore::default(), Arc::new(SequentialIds::default()));
        let (secrets, page_tokens) =
            (Arc::new(CountingSecrets::default()), PageTokenSigner::new(b"a scenario's secret"));
        let use_cases = UseCases::new(store.clone(), PlainHasher, secrets, clock, ids, page_tokens, Policy::default());
        let folder = features::keys().folder();
        let signer = EdDsa::load(folder, devstack::keys::ISSUER, devstack::keys::AUDIENCE).expect("keys");
        // The api looks at tokens by the real time, whatever the scenario's clock says.
        let signs = Arc::new(mart_chassis::clock::SystemClock);
        vec![Hosted {
            name: "user",
            routes: wiring::routes(use_cases.clone(), Arc::new(signer), signs, api),
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
            named: std::collections::HashMap::new(),
        }
    }

    /// A mailbox that nobody else has.
    pub(crate) fn email(&self, name: &str) -> String {
        format!("{}@example.com", self.mart.own(name))
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.mart.send(None, "POST", path, Some(body), &[]).await;
        let told = answer.body.clone();
        self.answer = Some(answer);
        told
    }

    pub(crate) async fn log_in(&mut self, name: &str, password: &str, tab: &str) {
        let body = json!({ "email": self.email(name), "password": password });
        let told = self.post("/v1/sessions/log-in", body).await;
        self.keep(tab, &told);
        if let Some(id) = told["user"]["userId"].as_str() {
            id.clone_into(&mut self.user);
        }
    }

    /// Keeps the tokens that a tab was answered with.
    pub(crate) fn keep(&mut self, tab: &str, told: &Value) {
        if let Some(token) = told["tokens"]["refreshToken"].as_str() {
            self.tabs.insert(tab.to_owned(), token.to_owned());
            told["tokens"]["accessToken"].as_str().unwrap_or_default().clone_into(&mut self.access);
        }
    }

    /// The access token of who logged in last.
    pub(crate) fn answer_token(&self) -> String {
        self.access.clone()
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("something was asked")
    }

    /// The secret of a link that lies in a mailbox and was not taken yet.
    pub(crate) async fn link(&mut self, name: &str, kind: &str) -> String {
        let (email, known) = (self.email(name).to_lowercase(), self.links.clone());
        let payload = |record: &features::Record| {
            devstack::contracts::decode(&record.event_type, &record.payload).unwrap_or_default()
        };
        let mine = |record: &features::Record| {
            record.event_type.ends_with(kind)
                && !known.contains(&record.key)
                && payload(record)["link"]["email"] == email
        };
        let found = self.mart.follow("a link to the mailbox", mine).await;
        self.links.push(found.key.clone());
        payload(&found)["link"]["token"].as_str().unwrap_or_default().to_owned()
    }
}
