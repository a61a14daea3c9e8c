//! PostgreSQL: pools, migrations, and the only three ways in which a service writes.
//!
//! [`Database::commit`] runs one autocommitted statement with its receipt and events, [`Database::write`] one that tells nobody.
//! [`Database::decide`] is for the rare decision over several rows.
//! There is deliberately no way to get at a transaction from a handler: when a client disconnects its handler is dropped,
//! and a transaction that is dropped half-way poisons the pooled connection for whoever comes next
//! (transact-rs/sqlx#4393).

pub mod commit;
mod decide;
pub mod read;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mart_kernel::Unavailable;
use secrecy::ExposeSecret;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Notify;

use crate::Config;

pub use decide::append;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The tables of this crate and what the app role may do with them.
const GRANTS: [(&str, &str); 3] = [
    ("outbox", "select, insert, delete"),
    ("receipt", "select, insert, delete"),
    ("inbox_waiting", "select, insert, update, delete"),
];

/// A service's database, as its adapters see it. Clones share the pools.
#[derive(Debug, Clone)]
pub struct Database {
    /// For reading and for single autocommitted statements. Nobody may call `begin` on it.
    pool: PgPool,
    /// For decisions over several rows, so that a cancelled `begin` can't reach the writers of single statements.
    decisions: PgPool,
    options: PgConnectOptions,
    /// Tells the relay that there is something in the outbox.
    committed: Arc<Notify>,
}

impl Database {
    /// Prepares the pools; connections are made when they are needed, so a service starts without its database.
    pub fn new(config: &Config) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(config.database_url.expose_secret())?
            .application_name(config.service)
            .options([("statement_timeout", "15s"), ("idle_in_transaction_session_timeout", "15s")]);
        let pool = |size: u32| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(5))
                .connect_lazy_with(options.clone())
        };
        Ok(Self {
            pool: pool(config.database_pool),
            decisions: pool(config.database_pool.div_ceil(4)),
            options: options.clone(),
            committed: Arc::new(Notify::new()),
        })
    }

    /// The pool to read from, with plain queries only.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether it answers now.
    pub(crate) async fn ping(&self) -> bool {
        let asked = sqlx::query("select 1").execute(&self.pool);
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(_)))
    }

    /// A connection of one's own, outside the pools, with settings for its session.
    pub(crate) async fn connect(&self, settings: &[(&str, &str)]) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.options.clone().options(settings.iter().copied())).await
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Rings when something was committed in this process.
    pub(crate) fn committed(&self) -> &Notify {
        &self.committed
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
        self.decisions.close().await;
    }
}

/// Logs what a database said and gives the word that the cores know for it.
pub fn unavailable(error: &sqlx::Error) -> Unavailable {
    tracing::error!(%error, "the database failed");
    metrics::counter!("database_failures_total").increment(1);
    let away = match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // Classes of SQLSTATE: no connection, a conflict of transactions, no resources, an operator's intervention, and a
        // standby that only reads.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let class = ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
            // A statement that took too long is its own fault.
            class && code != "57014" || code == "25006"
        }),
        _ => false,
    };
    if away { Unavailable::Away } else { Unavailable::Failed }
}

/// Brings a database to the schema of this crate and of the service, as its owner, and grants the app role its rights on
/// this crate's tables. The service's own migrations grant theirs.
pub async fn migrate(config: &Config, service: &Migrator) -> Result<(), MigrationFailed> {
    let options = PgConnectOptions::from_str(config.database_url.expose_secret())?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let mut own = Migrator { table_name: "_chassis_migrations".into(), ..Migrator::DEFAULT };
    own.migrations.clone_from(&MIGRATIONS.migrations);
    own.run(&mut connection).await?;
    for (table, rights) in GRANTS {
        let grant = format!("grant {rights} on {table} to {}_app", config.service);
        sqlx::query(sqlx::AssertSqlSafe(grant)).execute(&mut connection).await?;
    }
    service.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// What can go wrong while a database is migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationFailed {
    /// The database could not be reached, or refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A migration failed, or one that ran before was changed since.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
}
