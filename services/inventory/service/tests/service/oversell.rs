//! More orders than units, at two replicas: every unit is reserved, and none twice.

use devstack::testing::{App, TestEvent, until};
use uuid::Uuid;

use crate::PROGRAM;
use crate::events::{TOPICS, created, placed, receive, wait_for_stock_item};

const ORDERS: usize = 1_000;
const UNITS: i32 = 500;
const EACH: i32 = 2;

#[tokio::test]
async fn a_thousand_orders_reserve_all_units_and_no_more() {
    let app = App::start_consumer("inventory", PROGRAM, &TOPICS).await;
    let replica = app.replica().await;
    let (mug, tea) = (Uuid::now_v7(), Uuid::now_v7());
    for product in [mug, tea] {
        app.publish(&created(product)).await;
        wait_for_stock_item(&app, product).await;
        receive(&app, product, UNITS).await;
    }
    let order = |nth: usize| {
        let lines = if nth.is_multiple_of(2) { [(mug, EACH), (tea, EACH)] } else { [(tea, EACH), (mug, EACH)] };
        placed(Uuid::now_v7(), &lines)
    };
    let orders: Vec<TestEvent> = (0..ORDERS).map(order).collect();
    app.publish_all(&orders).await;
    let mut database = app.database().await;
    let count = "select count(*) from reservation";
    until("every order has a reservation", async || {
        sqlx::query_scalar::<_, i64>(count).fetch_one(&mut database).await.expect("counted") == 1_000
    })
    .await;
    let statuses: Vec<(String, i64)> = sqlx::query_as("select status, count(*) from reservation group by 1 order by 1")
        .fetch_all(&mut database)
        .await
        .expect("counted");
    assert_eq!(statuses, [("rejected".to_owned(), 750), ("reserved".to_owned(), 250)]);
    let stock: Vec<(i32, i32, i64, i64)> = sqlx::query_as(
        "select on_hand, reserved, (select sum(on_hand_delta) from ledger_entry l where l.product_id = s.product_id), \
         (select sum(reserved_delta) from ledger_entry l where l.product_id = s.product_id) from stock_item s",
    )
    .fetch_all(&mut database)
    .await
    .expect("read");
    assert_eq!(stock, [(UNITS, UNITS, 500, 500); 2]);
    drop(replica);
}
