//! The database of a service that publishes events.

use std::convert::Infallible;
use std::ops::Deref;

use mart_kernel::{CommitError, CommitOutcome, EventEnvelope, Receipt};

use super::{Database, Statement};
use crate::Record;

/// A database whose commits take a core's events of type `E`, which it converts to records of the outbox. It is a [`Database`] in
/// everything else.
#[derive(Debug, Clone)]
pub struct EventDatabase<E> {
    database: Database,
    record: fn(&EventEnvelope<E>) -> Record,
}

impl<E> EventDatabase<E> {
    /// Adds the conversion of events to a database. `record` is the service's generated function.
    pub fn new(database: Database, record: fn(&EventEnvelope<E>) -> Record) -> Self {
        Self { database, record }
    }

    /// Returns the conversion, for transactions that append to the outbox.
    pub fn record(&self) -> fn(&EventEnvelope<E>) -> Record {
        self.record
    }

    /// Runs a commit of a service without unique values besides its keys.
    pub async fn commit(
        &self,
        statement: Statement,
        receipt: Option<&Receipt>,
        events: &[EventEnvelope<E>],
    ) -> Result<CommitOutcome, CommitError<Infallible>> {
        self.database.commit(statement, receipt, self.records(events)).await
    }

    /// Runs a commit. `duplicate` maps the name of a violated unique constraint to the value that it names.
    pub async fn commit_unique<U>(
        &self,
        statement: Statement,
        receipt: Option<&Receipt>,
        events: &[EventEnvelope<E>],
        duplicate: impl FnOnce(&str) -> Option<U>,
    ) -> Result<CommitOutcome, CommitError<U>> {
        self.database.commit_unique(statement, receipt, self.records(events), duplicate).await
    }

    fn records(&self, events: &[EventEnvelope<E>]) -> Vec<Record> {
        events.iter().map(self.record).collect()
    }
}

impl<E> Deref for EventDatabase<E> {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}
