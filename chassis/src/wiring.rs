//! The adapters that the wiring of every service begins with.

use std::sync::Arc;

use mart_kernel::PageTokenSigner;

use crate::clock::{SystemClock, TimeOrderedIds};
use crate::{Config, Database};

/// The adapters of ports that all services have.
#[derive(Debug)]
pub struct CommonAdapters {
    /// The service's database. It connects on demand.
    pub database: Database,
    /// The system's time.
    pub clock: Arc<SystemClock>,
    /// Ids that are never repeated.
    pub ids: Arc<TimeOrderedIds>,
    /// Signs the page tokens of the service's lists.
    pub page_tokens: PageTokenSigner,
}

impl CommonAdapters {
    /// Creates the adapters. An error if the database's URL is invalid.
    pub fn new(config: &Config) -> Result<Self, sqlx::Error> {
        Ok(Self {
            database: Database::new(config)?,
            clock: Arc::new(SystemClock),
            ids: Arc::new(TimeOrderedIds),
            page_tokens: PageTokenSigner::new(config.page_token_secret()),
        })
    }
}
