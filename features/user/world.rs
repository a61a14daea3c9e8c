//! The state of a scenario. A mailbox is read from the topic of links.

use features::{InProcess, Mart};
use serde_json::{Value, json};

use crate::hosted::hosted;

/// Background jobs run often.
pub(crate) const VARIABLES: &[(&str, &str)] = &[("PURGE_INTERVAL", "200ms")];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
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

/// Creates a mart of the user service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |adapters| vec![hosted(adapters)])
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
        self.mart.call(None, "POST", path, Some(body), &[]).await
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
