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

use include_dir::{Dir, include_dir};
use mart_kernel::Unavailable;
use secrecy::ExposeSecret;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, SqlStr};
use tokio::sync::Notify;

use crate::Config;

pub use decide::append;

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

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
///
/// Migrations are files such as `0001_order.sql`, run in the order of their numbers.
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

/// The migrations in a folder that this program carries. sqlx's own macro would build sqlx a second time, for the compiler.
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

/// What can go wrong while a database is migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationFailed {
    /// The database could not be reached, or refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A migration failed, or one that ran before was changed since.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A file of the folder of migrations is none.
    #[error("migrations/{0} is no migration: it needs a name such as 0002_more.sql and a text in UTF-8")]
    Name(String),
    /// Two migrations have one number.
    #[error("two files of migrations/ have the number {0}: give the later one the next number")]
    Twice(i64),
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
    fn a_file_that_is_no_migration_is_refused_by_its_name() {
        static FOLDER: Dir<'_> = Dir::new("", &[file("notes.txt")]);
        let refused = migrations(&FOLDER).expect_err("no migration").to_string();
        assert!(refused.contains("migrations/notes.txt"), "{refused}");
    }

    #[test]
    fn two_migrations_of_one_number_are_refused() {
        static FOLDER: Dir<'_> = Dir::new("", &[file("0001_a.sql"), file("0001_b.sql")]);
        assert!(matches!(migrations(&FOLDER), Err(MigrationFailed::Twice(1))));
    }
}
