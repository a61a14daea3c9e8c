//! PostgreSQL: pools, migrations, and the only three ways in which a service writes.
//!
//! [`Database::commit`], or the same function of an [`EventDatabase`], runs one autocommitted statement with its receipt and events. [`Database::execute`] and
//! [`Database::write`] run one without events. [`Database::transact`] is for the rare decision over several rows.
//!
//! No SQL has numbered parameters: rows are structs of [`table_row!`](crate::table_row), from which [`Statement`] and [`mod@write`] render
//! the text, and [`sql!`](crate::sql) names the parameters of everything else.
//!
//! A handler has no access to a transaction: when a client disconnects, its handler is dropped, and a transaction that is dropped
//! half-way leaves the pooled connection unusable for the next request (transact-rs/sqlx#4393).

mod commit;
mod events;
pub mod read;
mod render;
pub mod row;
pub mod sql;
mod statement;
mod transact;
pub mod write;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use mart_kernel::StoreError;
use secrecy::ExposeSecret;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, SqlStr};
use tokio::sync::Notify;

use crate::Config;

pub use events::EventDatabase;
pub use statement::Statement;
pub use transact::append_outbox;

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// The tables of this crate and the app role's privileges on them.
const GRANTS: [(&str, &str); 3] = [
    ("outbox", "select, insert, delete"),
    ("receipt", "select, insert, delete"),
    ("inbox", "select, insert, update, delete"),
];

/// A service's database. Clones share the pools.
#[derive(Debug, Clone)]
pub struct Database {
    /// The pool for queries and single autocommitted statements. Never call `begin` on it.
    pool: PgPool,
    /// The pool for transactions, so that a cancelled `begin` cannot affect single statements.
    transactions: PgPool,
    options: PgConnectOptions,
    /// Notifies the relay of new rows in the outbox.
    outbox_notify: Arc<Notify>,
}

impl Database {
    /// Creates the pools. They connect on demand, so a service starts without its database.
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
            pool: pool(config.database_max_connections),
            transactions: pool(config.database_max_connections.div_ceil(4)),
            options: options.clone(),
            outbox_notify: Arc::new(Notify::new()),
        })
    }

    /// Returns the pool, for queries only.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Returns whether the database answers within a second.
    pub(crate) async fn ping(&self) -> bool {
        let ping = sqlx::query("select 1").execute(&self.pool);
        matches!(tokio::time::timeout(Duration::from_secs(1), ping).await, Ok(Ok(_)))
    }

    /// Opens a connection outside the pools, with settings for its session.
    pub(crate) async fn connect(&self, settings: &[(&str, &str)]) -> Result<PgConnection, sqlx::Error> {
        PgConnection::connect_with(&self.options.clone().options(settings.iter().copied())).await
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Returns the notification of commits in this process that added rows to the outbox.
    pub(crate) fn outbox_notify(&self) -> &Notify {
        &self.outbox_notify
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
        self.transactions.close().await;
    }
}

/// Logs a database error and returns the cores' error for it.
pub fn unavailable(error: &sqlx::Error) -> StoreError {
    tracing::error!(%error, "the database failed");
    metrics::counter!("database_failures_total").increment(1);
    let unavailable = match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // SQLSTATE classes: connection exception, transaction rollback, insufficient resources, operator intervention; and the code
        // of a standby that is read-only.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            let class = ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
            // A statement timeout is a fault of the statement.
            class && code != "57014" || code == "25006"
        }),
        _ => false,
    };
    if unavailable { StoreError::Unavailable } else { StoreError::Internal }
}

/// Migrates a database, as its owner, to the schema of this crate and of the service, and grants the app role its privileges on
/// this crate's tables. The service's own migrations grant theirs.
///
/// Migrations are files such as `0001_order.sql` and run in the order of their numbers.
pub async fn migrate(config: &Config, service: &'static Dir<'static>) -> Result<(), MigrationFailed> {
    let (own, service) = (migrations(&MIGRATIONS)?, migrations(service)?);
    let options = PgConnectOptions::from_str(config.database_url.expose_secret())?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let own = Migrator { table_name: "_chassis_migrations".into(), migrations: own.into(), ..Migrator::DEFAULT };
    own.run(&mut connection).await?;
    for (table, rights) in GRANTS {
        let grant = format!("grant {rights} on {table} to {}_app", config.service);
        sqlx::query(sqlx::AssertSqlSafe(grant)).execute(&mut connection).await?;
    }
    Migrator { migrations: service.into(), ..Migrator::DEFAULT }.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Returns the migrations of an embedded folder. sqlx's own macro would build sqlx a second time, for the compiler.
fn migrations(folder: &'static Dir<'static>) -> Result<Vec<Migration>, MigrationFailed> {
    let migration = |file: &'static include_dir::File<'static>| {
        let name = file.path().to_str()?;
        let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
        let (version, sql) = (version.parse().ok()?, file.contents_utf8()?);
        let description = description.replace('_', " ").into();
        let alone = sql.starts_with("-- no-transaction");
        Some(Migration::new(version, description, MigrationType::Simple, SqlStr::from_static(sql), alone))
    };
    let named = |file: &'static include_dir::File<'static>| {
        migration(file).ok_or_else(|| MigrationFailed::Name(file.path().display().to_string()))
    };
    let mut all = folder.files().map(named).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|migration| migration.version);
    match all.windows(2).find(|pair| pair[0].version == pair[1].version) {
        Some(pair) => Err(MigrationFailed::Twice(pair[0].version)),
        None => Ok(all),
    }
}

/// The errors of a migration.
#[derive(Debug, thiserror::Error)]
pub enum MigrationFailed {
    /// The database is unreachable or rejected a statement.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error(transparent)]
    Migration(MigrateError),
    /// The database was migrated by another version of the service: an applied migration was changed or is missing.
    #[error(
        "the database holds data of another version of this service: its migration {0} is not the one of this version"
    )]
    OtherVersion(i64),
    /// A file is not a migration.
    #[error("migrations/{0} is not a migration: its name has to be like 0002_more.sql and its text UTF-8")]
    Name(String),
    /// Two migrations have the same number.
    #[error("two files in migrations/ have the number {0}: give the newer one the next number")]
    Twice(i64),
}

impl From<MigrateError> for MigrationFailed {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMismatch(version) | MigrateError::VersionMissing(version) => {
                Self::OtherVersion(version)
            }
            error => Self::Migration(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use include_dir::{DirEntry, File};

    const fn file(path: &'static str) -> DirEntry<'static> {
        DirEntry::File(File::new(path, b"select 1"))
    }

    #[test]
    fn migrations_are_run_in_the_order_of_their_numbers() {
        static FOLDER: Dir<'_> = Dir::new("", &[file("0010_more_of_it.sql"), file("0009_less.sql")]);
        let read = migrations(&FOLDER).expect("named well");
        let names: Vec<_> = read.iter().map(|each| (each.version, each.description.as_ref())).collect();
        assert_eq!(names, [(9, "less"), (10, "more of it")]);
    }

    #[test]
    fn a_file_that_is_no_migration_is_rejected_by_name() {
        static FOLDER: Dir<'_> = Dir::new("", &[file("notes.txt")]);
        let refused = migrations(&FOLDER).expect_err("no migration").to_string();
        assert!(refused.contains("migrations/notes.txt"), "{refused}");
    }

    #[test]
    fn two_migrations_with_one_number_are_rejected() {
        static FOLDER: Dir<'_> = Dir::new("", &[file("0001_a.sql"), file("0001_b.sql")]);
        assert!(matches!(migrations(&FOLDER), Err(MigrationFailed::Twice(1))));
    }
}
