//! Stores products in PostgreSQL.

use mart_chassis::db::commit::{EVENTS_ONLY, Statement};
use mart_chassis::db::read::{decode_error, time, version};
use mart_chassis::{Database, Record, insert_sql, update_sql};
use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, EventEnvelope, Money, StoreError};
use product_core::domain::{Attribute, Product, ProductEvent, ProductId, Sku, Status, UnvalidatedDetails, search};
use product_core::ports::{Cursor, Filter, Order, Store, Unique, Write};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Parameters of both writes, after the commit's own: `$13` id, `$14` version, `$15` status, `$16` `$17` SKU and its key,
/// `$18` `$19` slug and its key, `$20` `$21` name and its key, `$22` description, `$23` category, `$24` images,
/// `$25` `$26` attributes, `$27` haystack, `$28` `$29` times, `$30` `$31` prices, `$32` the version before.
pub const INSERT: &str = insert_sql!(
    "insert into product (product_id, version, status, sku, sku_key, slug, slug_key, name, name_key, description, category, \
     image_urls, attribute_keys, attribute_values, haystack, created_at, updated_at) \
     select $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29 from guard \
     returning product_id",
    "priced as (insert into product_price (product_id, currency, minor) \
     select written.product_id, price.currency, price.minor \
     from written, unnest($30::text[], $31::bigint[]) as price (currency, minor)), "
);

const UPDATE: &str = update_sql!(
    "select product_id from product where product_id = $13 and version = $32 for update",
    "update product set version = $14, status = $15, sku = $16, sku_key = $17, slug = $18, slug_key = $19, name = $20, \
     name_key = $21, description = $22, category = $23, image_urls = $24, attribute_keys = $25, attribute_values = $26, \
     haystack = $27, updated_at = $29 from guard where product.product_id = guard.product_id returning product.product_id",
    "unpriced as (delete from product_price using written \
     where product_price.product_id = written.product_id and product_price.currency <> all ($30::text[])), ",
    "priced as (insert into product_price (product_id, currency, minor) \
     select written.product_id, price.currency, price.minor \
     from written, unnest($30::text[], $31::bigint[]) as price (currency, minor) \
     on conflict (product_id, currency) do update set minor = excluded.minor), "
);

/// The query of products with their prices.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select p.product_id, p.version, p.status, p.sku, p.slug, p.name, p.description, p.category, p.image_urls, \
             p.attribute_keys, p.attribute_values, p.created_at, p.updated_at, \
             array(select currency from product_price where product_id = p.product_id order by currency) as currencies, \
             array(select minor from product_price where product_id = p.product_id order by currency) as minors \
             from product p ",
            $rest
        )
    };
}

/// The query of a list: `$1` status, `$2` category, `$3` `$4` `$5` price range, `$6` words, `$7` limit, `$8` `$9` the cursor.
macro_rules! list {
    ($join:literal, $order:literal) => {
        concat!(
            select!($join),
            " where ($1::text is null or p.status = $1) and ($2::text is null or p.category = $2) \
             and ($3::text is null or exists (select from product_price range where range.product_id = p.product_id \
             and range.currency = $3 and range.minor between $4 and $5)) \
             and (select coalesce(bool_and(strpos(p.haystack, word) > 0), true) from unnest($6::text[]) as word) and ",
            $order,
            " limit $7"
        )
    };
}

const NEWEST: &str = list!(
    "",
    "(p.created_at, p.product_id) < (coalesce($8, 'infinity'::timestamptz), \
     coalesce($9, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) order by p.created_at desc, p.product_id desc"
);

const BY_NAME: &str = list!(
    "",
    "(p.name_key, p.product_id) > (coalesce($8, ''), coalesce($9, '00000000-0000-0000-0000-000000000000'::uuid)) \
     order by p.name_key, p.product_id"
);

/// `$10` is the currency. Products without a price in it come last.
const BY_PRICE: &str = list!(
    "left join product_price price on price.product_id = p.product_id and price.currency = $10",
    "($9::uuid is null or case when $8::bigint is null then price.minor is null and p.product_id > $9 \
     else price.minor is null or (price.minor, p.product_id) > ($8, $9) end) \
     order by price.minor nulls last, p.product_id"
);

/// Stores products. `record` builds the outbox record of an event.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
    record: fn(&EventEnvelope<ProductEvent>) -> Record,
}

impl PostgresStore {
    /// Creates a store in this database.
    pub fn new(database: Database, record: fn(&EventEnvelope<ProductEvent>) -> Record) -> Self {
        Self { database, record }
    }
}

impl Store for PostgresStore {
    async fn by_id(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let query = sqlx::query(select!("where p.product_id = $1")).bind(id.0);
        Ok(self.database.fetch_all(query, product).await?.pop())
    }

    async fn by_slug(&self, slug_key: &str) -> Result<Option<Product>, StoreError> {
        let query = sqlx::query(select!("where p.slug_key = $1")).bind(slug_key);
        Ok(self.database.fetch_all(query, product).await?.pop())
    }

    async fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let sql = match order {
            Order::Newest => NEWEST,
            Order::Name => BY_NAME,
            Order::Price(_) => BY_PRICE,
        };
        let words: Vec<String> = filter.words.iter().map(|word| search::needle(word)).collect();
        let query = |limit: i64| {
            let query = sqlx::query(sql)
                .bind(filter.status.map(status))
                .bind(filter.category.as_deref())
                .bind(filter.price.map(|range| range.currency.code()))
                .bind(filter.price.map(|range| range.min))
                .bind(filter.price.map(|range| range.max))
                .bind(words.clone())
                .bind(limit);
            match (order, after) {
                (Order::Newest, Some(Cursor::Newest(at, id))) => query.bind(Some(at.get())).bind(Some(id.0)),
                (Order::Newest, _) => query.bind(None::<OffsetDateTime>).bind(None::<Uuid>),
                (Order::Name, Some(Cursor::Name(name, id))) => query.bind(Some(name.as_str())).bind(Some(id.0)),
                (Order::Name, _) => query.bind(None::<&str>).bind(None::<Uuid>),
                (Order::Price(currency), Some(Cursor::Price(minor, id))) => {
                    query.bind(*minor).bind(Some(id.0)).bind(currency.code())
                }
                (Order::Price(currency), _) => query.bind(None::<i64>).bind(None::<Uuid>).bind(currency.code()),
            }
        };
        self.database.list(limit, query, product).await
    }

    async fn commit(&self, commit: Commit<Write, ProductEvent>) -> Result<CommitOutcome, CommitError<Unique>> {
        let Commit { write, events, receipt } = commit;
        let before = events.first().map_or(0, |event| event.version.get() - 1);
        let records = events.iter().map(self.record).collect();
        let (sql, product) = match write {
            Some(Write::Insert(product)) => (INSERT, Some(product)),
            Some(Write::Update(product)) => (UPDATE, Some(product)),
            None => (EVENTS_ONLY, None),
        };
        let bind = |statement| match product {
            Some(product) => bind(statement, product, before),
            None => statement,
        };
        self.database.commit(sql, receipt.as_ref(), records, bind, duplicate).await
    }
}

fn bind(statement: Statement, product: Product, before: i64) -> Statement {
    let Product { id, version, status: new_status, details, created_at, updated_at } = product;
    let sku = details.sku.as_ref();
    let haystack = search::haystack(&details.name, sku.map_or("", Sku::as_str));
    let (attribute_keys, attribute_values): (Vec<String>, Vec<String>) =
        details.attributes.into_iter().map(|Attribute { key, value }| (key, value)).unzip();
    let prices = details.prices.all().iter();
    let (currencies, minors): (Vec<&str>, Vec<i64>) =
        prices.map(|price| (price.currency().code(), price.minor())).unzip();
    statement
        .bind(id.0)
        .bind(version.get())
        .bind(status(new_status))
        .bind(sku.map(|sku| sku.as_str().to_owned()))
        .bind(sku.map(Sku::key))
        .bind(details.slug.as_str().to_owned())
        .bind(details.slug.key())
        .bind(details.name.clone())
        .bind(search::fold(&details.name))
        .bind(details.description)
        .bind(details.category)
        .bind(details.image_urls)
        .bind(attribute_keys)
        .bind(attribute_values)
        .bind(haystack)
        .bind(created_at.get())
        .bind(updated_at.get())
        .bind(currencies)
        .bind(minors)
        .bind(before)
}

fn duplicate(constraint: &str) -> Option<Unique> {
    match constraint {
        "product_sku" => Some(Unique::Sku),
        "product_slug" => Some(Unique::Slug),
        _ => None,
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Archived => "archived",
    }
}

fn product(row: &PgRow) -> Result<Product, sqlx::Error> {
    let keys: Vec<String> = row.try_get("attribute_keys")?;
    let values: Vec<String> = row.try_get("attribute_values")?;
    let currencies: Vec<String> = row.try_get("currencies")?;
    let minors: Vec<i64> = row.try_get("minors")?;
    let price = |(code, minor): (&String, i64)| Ok(Money::from_minor(minor, Currency::from_code(code)?));
    let prices: Result<Vec<Money>, mart_kernel::money::MoneyError> = currencies.iter().zip(minors).map(price).collect();
    let details = UnvalidatedDetails {
        sku: row.try_get::<Option<String>, _>("sku")?.unwrap_or_default(),
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        category: row.try_get("category")?,
        image_urls: row.try_get("image_urls")?,
        attributes: keys.into_iter().zip(values).map(|(key, value)| Attribute { key, value }).collect(),
        prices: prices.map_err(decode_error)?,
    };
    let status = match row.try_get("status")? {
        "draft" => Status::Draft,
        "active" => Status::Active,
        "archived" => Status::Archived,
        other => return Err(decode_error(format!("unknown status: {other}"))),
    };
    Ok(Product {
        id: ProductId(row.try_get("product_id")?),
        version: version(row, "version")?,
        status,
        details: details.parse().map_err(|rules| decode_error(format!("invalid product: {rules:?}")))?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
