//! The PostgreSQL store passes the conformance suite.

use std::sync::Arc;

use devstack::databases::Urls;
use devstack::testing::Servers;
use mart_chassis::db::EventDatabase;
use mart_chassis::{Config, Database, sql};
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{PageTokenSigner, StoreError, testing};
use payment_core::UseCases;
use payment_core::application::Providers;
use payment_core::conformance::{account, attempt};
use payment_core::domain::{Account, Change, Policy, Refund, RefundId, RefundStatus};
use payment_core::ports::Store;
use payment_service::adapters::events::PaymentMessages;
use payment_service::adapters::postgres::PostgresStore;
use payment_service::generated::events;
use payment_service::wiring;

async fn store() -> PostgresStore {
    store_in(&Servers::from_env().database("payment").await.expect("a database")).await
}

async fn store_in(urls: &Urls) -> PostgresStore {
    let config = |url: &str| Config::of_database("payment", url).expect("valid");
    mart_chassis::db::migrate(&config(&urls.owner), &wiring::MIGRATIONS).await.expect("migrated");
    // The app role, so that a missing privilege is found.
    let database = Database::new(&config(&urls.app)).expect("pools");
    PostgresStore(EventDatabase::new(database, events::record::<PaymentMessages>))
}

payment_core::conformance!(store());

#[tokio::test]
async fn a_transaction_cannot_be_changed_or_deleted() {
    let urls = Servers::from_env().database("payment").await.expect("a database");
    let config = Config::of_database("payment", &urls.owner).expect("valid");
    mart_chassis::db::migrate(&config, &wiring::MIGRATIONS).await.expect("migrated");
    let mut app = <sqlx::PgConnection as sqlx::Connection>::connect(&urls.app).await.expect("connected");
    for sql in ["update transaction set amount = 1", "delete from transaction"] {
        let error = sqlx::query(sql).execute(&mut app).await.expect_err("the app role may not");
        assert!(error.to_string().contains("permission denied"), "{error}");
    }
}

#[tokio::test]
async fn an_unreadable_payment_does_not_block_the_attempts_and_refunds_of_others() {
    let urls = Servers::from_env().database("payment").await.expect("a database");
    let store = store_in(&urls).await;
    for n in 1..=2 {
        let attempt = attempt(n);
        let refund = Refund {
            id: RefundId(testing::uuid(300 + n)),
            attempt: attempt.id,
            amount: account(n).amount,
            status: RefundStatus::Pending,
            reason: String::new(),
            next_attempt_at: attempt.next_poll_at,
            created_at: attempt.created_at,
        };
        let account = Account { attempts: vec![attempt], refunds: vec![refund], ..account(n) };
        let (order, change) = (account.order, Change { account: Some(account), ..Change::default() });
        assert_eq!(store.decide(order, None, move |_| (change, ())).await, Ok(Some(())));
    }
    let (now, broken) = (testing::at(1_000), account(1).order);
    let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(&urls.owner).await.expect("connected");
    let corrupt = sql!("update payment set currency = 'nothing' where order_id = $order_id", order_id = broken.0);
    assert_eq!(corrupt.execute(&mut owner).await.expect("updated").rows_affected(), 1);

    let (clock, ids) = (Arc::new(ManualClock::new(now)), Arc::new(SequentialIds::default()));
    let page_tokens = PageTokenSigner::new(b"secret");
    let use_cases = UseCases::new(store.clone(), Providers::default(), clock, ids, page_tokens, Policy::default());
    assert_eq!(use_cases.poll_attempts(10).await, Ok(1));
    assert_eq!(store.due_attempts(now, 10).await, Ok(vec![(broken, attempt(1).id)]));
    assert_eq!(use_cases.poll_attempts(10).await, Err(StoreError::Internal), "the only due attempt failed");
    assert_eq!(use_cases.send_refunds(10).await, Ok(1));
    assert_eq!(store.due_refunds(now, 10).await, Ok(vec![(broken, RefundId(testing::uuid(301)))]));
}
