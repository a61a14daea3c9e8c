//! One database per service, with an owner for migrations and an app role with least privileges.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::secrets::Secrets;

/// The URLs of a service's database.
#[derive(Debug, Clone)]
pub struct Urls {
    /// The owner's URL, for `migrate`.
    pub owner: String,
    /// The app role's URL, for `serve`.
    pub app: String,
}

/// Creates the roles and the database of a service if they are missing. `server` is a URL of the superuser.
pub async fn ensure(server: &str, service: &str, database: &str, secrets: &Secrets) -> Result<Urls> {
    let mut connection = PgConnection::connect(server).await?;
    // Roles belong to the whole cluster, so concurrent tests of a service would create the same ones.
    sqlx::query("select pg_advisory_lock(7400)").execute(&mut connection).await?;
    let (owner, app) = (format!("{service}_owner"), format!("{service}_app"));
    for role in [&owner, &app] {
        let roles: Vec<String> =
            sqlx::query_scalar("select rolname::text from pg_roles").fetch_all(&mut connection).await?;
        if !roles.contains(role) {
            let password = secrets.get(role)?;
            run(&mut connection, format!("create role {role} login password '{password}'")).await?;
        }
    }
    let databases: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database").fetch_all(&mut connection).await?;
    if !databases.iter().any(|existing| existing == database) {
        run(&mut connection, format!("create database \"{database}\" owner {owner}")).await?;
        run(&mut connection, format!("revoke all on database \"{database}\" from public")).await?;
        run(&mut connection, format!("grant connect on database \"{database}\" to {app}")).await?;
    }
    connection.close().await?;
    let url = |role: &str| -> Result<String> {
        let rest = server.split_once('@').map_or(server, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or(rest);
        Ok(format!("postgres://{role}:{}@{host}/{database}", secrets.get(role)?))
    };
    Ok(Urls { owner: url(&owner)?, app: url(&app)? })
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
