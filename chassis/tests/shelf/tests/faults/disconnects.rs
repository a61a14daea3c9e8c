//! Clients that disconnect during a request leave no open transaction, and every acknowledged write is stored.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use devstack::testing::Servers;
use mart_chassis::config::Limits;
use mart_chassis::db::append_outbox;
use mart_chassis::http::{ApiError, Problem, server, with_middleware};
use mart_chassis::{Database, sql};
use mart_kernel::Version;
use shelf_service::adapters::postgres::store;
use shelf_service::core::Item;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::fixture::{config, until};

/// Delays every commit by a millisecond per row, so that clients disconnect during some commits.
const SLOW_COMMIT: &str = "create function slow() returns trigger language plpgsql as \
    $$ begin perform pg_sleep(0.001); return null; end $$; \
    create constraint trigger slow after insert on item deferrable initially deferred for each row execute function slow()";

/// Creates an item with one statement.
async fn create(State(database): State<Database>, Path(id): Path<String>) -> Result<String, Problem> {
    let item = Item { product_id: id.clone(), version: Version::NONE.next(), name: String::new() };
    let done = database.commit(store(item), None, Vec::new()).await;
    done.map(|_| id.clone()).map_err(|_| ApiError::Unavailable.into())
}

/// Creates several items in a transaction.
async fn decide(State(database): State<Database>, Path(id): Path<String>) -> Result<String, Problem> {
    let prefix = id.clone();
    let result = database.transact(move |connection| {
        Box::pin(async move {
            for part in ["a", "b", "c"] {
                let id = format!("{prefix}{part}");
                let insert =
                    sql!("insert into item (product_id, version, name) values ($product_id, 1, '')", product_id = id);
                insert.execute(&mut *connection).await?;
            }
            Ok(append_outbox(connection, None, Vec::new()).await?.then_some(()))
        })
    });
    match result.await {
        Ok(Some(())) => Ok(id),
        _ => Err(ApiError::Unavailable.into()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnects_leave_no_transaction_and_lose_no_write() {
    let urls = Servers::from_env().database("shelf").await.expect("a database");
    mart_chassis::db::migrate(&config(&urls.owner), &shelf_service::wiring::MIGRATIONS).await.expect("migrated");
    let mut owner = PgConnection::connect(&urls.owner).await.expect("connected");
    sqlx::raw_sql(SLOW_COMMIT).execute(&mut owner).await.expect("created");
    let database = Database::new(&config(&urls.app)).expect("pools");
    let routes = Router::new().route("/create/{id}", post(create)).route("/decide/{id}", post(decide));
    let routes = with_middleware(routes.with_state(database), &Limits::default());
    let listener = server::listen(([127, 0, 0, 1], 0).into()).await.expect("listening");
    let address = listener.local_addr().expect("bound");
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let stop = stop.clone();
        async move { server::serve(listener, routes, &Limits::default(), stop, Duration::from_secs(5)).await }
    });

    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    let next = Arc::new(AtomicU64::new(0));
    let client = |client: u64| {
        let (acknowledged, next) = (acknowledged.clone(), next.clone());
        async move {
            for _ in 0..150 {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let path = if n.is_multiple_of(3) { "decide" } else { "create" };
                let mut socket = TcpStream::connect(address).await.expect("connected");
                let request =
                    format!("POST /{path}/i{n} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                socket.write_all(request.as_bytes()).await.expect("sent");
                // Three of four clients disconnect, each after another fraction of a request's time.
                if !client.is_multiple_of(4) {
                    tokio::time::sleep(Duration::from_micros(n * 37 % 5_000)).await;
                    continue;
                }
                let mut response = Vec::new();
                socket.read_to_end(&mut response).await.expect("read");
                if response.starts_with(b"HTTP/1.1 200") {
                    acknowledged.lock().expect("not poisoned").insert(format!("i{n}"));
                }
            }
        }
    };
    // Only a few clients at a time: one that waits for a connection of the pool has no open transaction.
    futures::future::join_all((0..12).map(|n| tokio::spawn(client(n)))).await;

    until("no connection is left in a transaction", async || {
        let sql = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in%'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut owner).await.expect("counted") == 0
    })
    .await;
    let stored: Vec<String> =
        sqlx::query_scalar("select product_id from item").fetch_all(&mut owner).await.expect("read");
    let stored: HashSet<String> = stored.into_iter().collect();
    let acknowledged = acknowledged.lock().expect("not poisoned").clone();
    assert!(acknowledged.len() > 300, "only {} were acknowledged", acknowledged.len());
    for id in &acknowledged {
        let parts: Vec<String> = ["a", "b", "c"].map(|part| format!("{id}{part}")).to_vec();
        assert!(
            stored.contains(id) || parts.iter().all(|part| stored.contains(part)),
            "{id} was acknowledged and is not stored"
        );
    }
    // Transactions are atomic.
    let decided = stored.iter().filter(|id| id.ends_with(['a', 'b', 'c'])).count();
    assert_eq!(decided % 3, 0);
    stop.cancel();
    serving.await.expect("stopped");
}
