//! Reads rows of a service's database for the checks.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection, Row};

/// The URL of each service's database, by the service's name.
pub(super) type Databases = BTreeMap<String, String>;

/// Returns the first column of each row.
pub(super) async fn rows(url: &str, sql: &'static str) -> Result<Vec<String>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    let found = sqlx::query(sql).fetch_all(&mut connection).await?;
    found.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Returns the first two columns of each row.
pub(super) async fn pairs(url: &str, sql: &'static str) -> Result<Vec<(String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

/// Returns the first three columns of each row.
pub(super) async fn triples(url: &str, sql: &'static str) -> Result<Vec<(String, String, String)>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    Ok(sqlx::query_as(sql).fetch_all(&mut connection).await?)
}

/// Returns the version of each id.
pub(super) async fn versions(url: &str, sql: &'static str) -> Result<BTreeMap<String, Option<i64>>> {
    let mut connection = PgConnection::connect(url).await.context("a database is unavailable")?;
    let found: Vec<(String, Option<i64>)> = sqlx::query_as(sql).fetch_all(&mut connection).await?;
    Ok(found.into_iter().collect())
}
