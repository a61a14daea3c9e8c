//! Stores products in PostgreSQL.

use mart_chassis::db::row::TableRow;
use mart_chassis::db::{EventDatabase, Statement};
use mart_chassis::{newest_first, sql};
use mart_kernel::{Commit, CommitError, CommitOutcome, StoreError};
use product_core::domain::{Product, ProductEvent, ProductId, search};
use product_core::ports::{Cursor, Filter, Order, Store, Unique, Write};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::rows::{ProductRow, status_name};

/// The query of products with their prices.
macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "select product.*, \
             array(select currency from product_price where product_price.product_id = product.product_id order by currency) \
             as currencies, \
             array(select minor from product_price where product_price.product_id = product.product_id order by currency) \
             as minors from product ",
            $($rest)*
        )
    };
}

/// The query of a list that matches the filter, after a condition that continues it.
macro_rules! list {
    ($join:literal, $($order:tt)*) => {
        select!(
            $join,
            " where ($status::text is null or product.status = $status) \
             and ($category::text is null or product.category = $category) \
             and ($currency::text is null or exists (select from product_price range \
             where range.product_id = product.product_id and range.currency = $currency \
             and range.minor between $min and $max)) \
             and (select coalesce(bool_and(strpos(product.haystack, word) > 0), true) from unnest($words::text[]) as word) and ",
            $($order)*
        )
    };
}

const BY_ID: &str = select!("where product.product_id = $product_id");

const BY_SLUG: &str = select!("where product.slug_key = $slug_key");

const NEWEST: &str = list!("", newest_first!("product.created_at", "product.product_id"));

const BY_NAME: &str = list!(
    "",
    "(product.name_key, product.product_id) > (coalesce($after_name, ''), \
     coalesce($after_id, '00000000-0000-0000-0000-000000000000'::uuid)) \
     order by product.name_key, product.product_id limit $limit"
);

/// Products without a price in the currency come last.
const BY_PRICE: &str = list!(
    "left join product_price price on price.product_id = product.product_id and price.currency = $order_currency",
    "($after_id::uuid is null or case when $after_minor::bigint is null \
     then price.minor is null and product.product_id > $after_id \
     else price.minor is null or (price.minor, product.product_id) > ($after_minor, $after_id) end) \
     order by price.minor nulls last, product.product_id limit $limit"
);

/// Stores products in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<ProductEvent>);

impl Store for PostgresStore {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.0.fetch_all(sql!(BY_ID, product_id = id.0), product).await?.pop())
    }

    async fn find_by_slug(&self, slug_key: &str) -> Result<Option<Product>, StoreError> {
        Ok(self.0.fetch_all(sql!(BY_SLUG, slug_key = slug_key), product).await?.pop())
    }

    async fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let Filter { status, category, price, words } = filter;
        let (status, category) = (status.map(status_name), category.as_deref());
        let currency = price.map(|range| range.currency.code());
        let (min, max) = price.map(|range| (range.min, range.max)).unzip();
        let words: Vec<String> = words.iter().map(|word| search::needle(word)).collect();
        // The parameters of the filter, and those of an order.
        macro_rules! ordered {
            ($sql:ident, $limit:ident, $($name:ident = $value:expr),+) => {
                sql!(
                    $sql,
                    status = status,
                    category = category,
                    currency = currency,
                    min = min,
                    max = max,
                    words = words.clone(),
                    limit = $limit,
                    $($name = $value),+
                )
            };
        }
        let query = |limit: i64| match order {
            Order::Newest => {
                let (at, id) = match after {
                    Some(Cursor::Newest(at, id)) => (Some(at.get()), Some(id.0)),
                    _ => (None, None),
                };
                ordered!(NEWEST, limit, after_at = at, after_id = id)
            }
            Order::Name => {
                let (name, id) = match after {
                    Some(Cursor::Name(name, id)) => (Some(name.as_str()), Some(id.0)),
                    _ => (None, None),
                };
                ordered!(BY_NAME, limit, after_name = name, after_id = id)
            }
            Order::Price(currency) => {
                let (minor, id) = match after {
                    Some(Cursor::Price(minor, id)) => (*minor, Some(id.0)),
                    _ => (None, None),
                };
                ordered!(BY_PRICE, limit, order_currency = currency.code(), after_minor = minor, after_id = id)
            }
        };
        self.0.list(limit, query, product).await
    }

    async fn commit(&self, commit: Commit<Write, ProductEvent>) -> Result<CommitOutcome, CommitError<Unique>> {
        let Commit { write, events, receipt } = commit;
        self.0.commit_unique(statement(write), receipt.as_ref(), &events, duplicate).await
    }
}

/// Returns the statement of a write.
pub fn statement(write: Option<Write>) -> Statement {
    match write {
        Some(Write::Insert(product)) => {
            let (row, prices) = ProductRow::new(product);
            Statement::insert(row).then_insert(prices)
        }
        Some(Write::Update { product, expected }) => {
            let (row, prices) = ProductRow::new(product);
            Statement::update(row, expected).then_replace(prices)
        }
        None => Statement::events_only(),
    }
}

fn duplicate(constraint: &str) -> Option<Unique> {
    match constraint {
        "product_sku" => Some(Unique::Sku),
        "product_slug" => Some(Unique::Slug),
        _ => None,
    }
}

fn product(row: &PgRow) -> Result<Product, sqlx::Error> {
    ProductRow::read(row)?.product(row.try_get("currencies")?, row.try_get("minors")?)
}
