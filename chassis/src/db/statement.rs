//! The statement of a commit, rendered from the rows that it writes.
//!
//! Each parameter is a column of a named relation: `new` has the rows of the service's write, `new_TABLE` those of further tables,
//! `receipt_row` the receipt and `event` the outbox rows. The order in the statement is: lock, receipt, write, further rows, outbox.
//! A commit whose rows are not as expected, or whose receipt exists, writes nothing.

use std::any::TypeId;
use std::sync::Arc;

use mart_kernel::{Receipt, Version};
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::types::Type;
use sqlx::{Arguments, Postgres};
use time::OffsetDateTime;
use uuid::Uuid;

use super::render::{Action, Part, Shape, Sql, Table, cached, quoted, same};
use super::row::{Relation, TableRow, updates};
use crate::Record;

crate::relation! {
    /// The version that a stored row is expected to have.
    pub(super) struct Expected {
        version: i64,
    }
}

crate::relation! {
    struct ReceiptRow {
        scope: Option<String>,
        key: Option<String>,
        fingerprint: Option<Vec<u8>>,
        subject: Option<String>,
    }
}

/// What a commit writes beside its receipt and its events, with the values.
///
/// ```
/// # mart_chassis::table_row! { struct ShelfRow in shelf (shelf_id) { shelf_id: i64, version: i64 } }
/// # mart_chassis::table_row! { struct LogRow in log (shelf_id, nth) { shelf_id: i64, nth: i32 } }
/// use mart_chassis::db::Statement;
/// # let (row, entries, read) = (ShelfRow { shelf_id: 1, version: 2 }, vec![LogRow { shelf_id: 1, nth: 1 }], mart_kernel::Version::FIRST);
/// let statement = Statement::update(row, read).then_insert(entries);
/// assert!(statement.sql().contains(r#"update "shelf" set "version" = new."version" from new"#));
/// ```
#[derive(Debug, Default)]
#[must_use = "it is run by a commit"]
pub struct Statement {
    parts: Vec<Part>,
    arguments: PgArguments,
    /// The first value that could not be encoded.
    failed: Option<BoxDynError>,
}

impl Statement {
    /// Writes no rows of the service.
    pub fn events_only() -> Self {
        Self::default()
    }

    /// Inserts a row. An existing key or unique value is an error.
    pub fn insert<R: TableRow>(row: R) -> Self {
        Self::insert_all(vec![row])
    }

    /// Inserts rows.
    pub fn insert_all<R: TableRow>(rows: Vec<R>) -> Self {
        Self::default().with(Action::Insert, rows)
    }

    /// Inserts a row, or updates the stored one unless that has a newer version. Nothing is written then, the events neither. The
    /// table has a column `version`.
    pub fn upsert_newer<R: TableRow>(row: R) -> Self {
        const { assert!(updates::<R>(), "the table has a key and a column beside it") };
        Self::default().with(Action::UpsertNewer, vec![row])
    }

    /// Updates all columns of a row that has this version. Otherwise the commit is a conflict. The table has a column `version`.
    pub fn update<R: TableRow>(row: R, expected: Version) -> Self {
        Self::update_all(vec![(row, expected)])
    }

    /// Updates rows, or none if one of them has another version.
    pub fn update_all<R: TableRow>(rows: Vec<(R, Version)>) -> Self {
        const { assert!(updates::<R>(), "the table has a key and a column beside it") };
        let part = part::<R, Expected>(Action::Update, rows.len());
        rows.into_iter().fold(Self { parts: vec![part], ..Self::default() }, |statement, (row, expected)| {
            statement.bind(row).bind(Expected { version: expected.get() })
        })
    }

    /// Deletes the row that has this key and version. Otherwise the commit is a conflict. The primary key has one column.
    pub fn delete<R: TableRow>(
        key: impl for<'q> sqlx::Encode<'q, Postgres> + Type<Postgres>,
        expected: Version,
    ) -> Self {
        Self::of_key::<R, Expected>(Action::Delete, key).bind(Expected { version: expected.get() })
    }

    /// Writes nothing itself, and is a conflict unless a row with this key exists. The primary key has one column.
    pub fn if_exists<R: TableRow>(key: impl for<'q> sqlx::Encode<'q, Postgres> + Type<Postgres>) -> Self {
        Self::of_key::<R, ()>(Action::Exists, key)
    }

    /// Inserts rows of a further table in this order, if the write takes place.
    pub fn then_insert<R: TableRow>(self, rows: Vec<R>) -> Self {
        self.with(Action::Insert, rows)
    }

    /// Makes these the only rows of a further table that belong to the written row: their key begins with the key of that row.
    pub fn then_replace<R: TableRow>(self, rows: Vec<R>) -> Self {
        const { assert!(updates::<R>(), "the table has a key and a column beside it") };
        self.with(Action::Replace, rows)
    }

    /// Returns the text. Statements with the same tables and numbers of rows have the same text.
    pub fn sql(&self) -> Arc<str> {
        cached(Shape::new(true, &self.parts), || render(&self.parts).text)
    }

    /// Returns the names of the parameters in their order, such as `new.order_id` and `receipt_row.scope`.
    pub fn parameters(&self) -> Vec<String> {
        render(&self.parts).names
    }

    fn of_key<R: TableRow, E: Relation>(
        action: Action,
        key: impl for<'q> sqlx::Encode<'q, Postgres> + Type<Postgres>,
    ) -> Self {
        const { assert!(R::KEY.len() == 1, "the primary key has one column") };
        let mut statement = Self { parts: vec![part::<R, E>(action, 1)], ..Self::default() };
        statement.failed = statement.arguments.add(key).err();
        statement
    }

    fn with<R: TableRow>(mut self, action: Action, rows: Vec<R>) -> Self {
        self.parts.push(part::<R, ()>(action, rows.len()));
        rows.into_iter().fold(self, Self::bind)
    }

    fn bind(mut self, row: impl Relation) -> Self {
        if self.failed.is_none() {
            self.failed = row.bind(&mut self.arguments).err();
        }
        self
    }

    /// Adds the receipt and the events, and returns all arguments.
    pub(super) fn arguments(self, receipt: Option<&Receipt>, records: Vec<Record>) -> Result<PgArguments, BoxDynError> {
        let Self { parts: _, mut arguments, failed } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        let receipt = ReceiptRow {
            scope: receipt.map(|receipt| receipt.scope.clone()),
            key: receipt.map(|receipt| receipt.key.clone()),
            fingerprint: receipt.map(|receipt| receipt.fingerprint.to_vec()),
            subject: receipt.map(|receipt| receipt.subject.clone()),
        };
        receipt.bind(&mut arguments)?;
        bind_events(&mut arguments, records)?;
        Ok(arguments)
    }
}

impl Relation for () {
    const COLUMNS: &'static [super::row::Column] = &[];

    fn bind(self, _: &mut PgArguments) -> Result<(), BoxDynError> {
        Ok(())
    }
}

/// Describes a write.
pub(super) fn part<R: TableRow, E: Relation>(action: Action, rows: usize) -> Part {
    let types = (TypeId::of::<R>(), TypeId::of::<E>());
    Part { action, table: Table::of::<R>(), expected: E::COLUMNS, rows, types }
}

/// The columns of the outbox that a commit sets, with the types of their arrays. The arrays have an element for each event.
const EVENT: [(&str, &str); 8] = [
    ("id", "uuid"),
    ("topic", "text"),
    ("key", "text"),
    ("event_type", "text"),
    ("version", "int8"),
    ("at", "timestamptz"),
    ("payload", "bytea"),
    ("traceparent", "text"),
];

fn bind_events(arguments: &mut PgArguments, records: Vec<Record>) -> Result<(), BoxDynError> {
    let count = records.len();
    let mut ids: Vec<Uuid> = Vec::with_capacity(count);
    let mut topics: Vec<String> = Vec::with_capacity(count);
    let mut keys: Vec<String> = Vec::with_capacity(count);
    let mut event_types: Vec<String> = Vec::with_capacity(count);
    let mut versions: Vec<i64> = Vec::with_capacity(count);
    let mut times: Vec<OffsetDateTime> = Vec::with_capacity(count);
    let mut payloads: Vec<Vec<u8>> = Vec::with_capacity(count);
    let mut traces: Vec<String> = Vec::with_capacity(count);
    for record in records {
        let Record { id, topic, key, event_type, version, at, payload, traceparent } = record;
        ids.push(id);
        topics.push(topic);
        keys.push(key);
        event_types.push(event_type);
        versions.push(version.get());
        times.push(at.get());
        payloads.push(payload);
        traces.push(traceparent);
    }
    arguments.add(ids)?;
    arguments.add(topics)?;
    arguments.add(keys)?;
    arguments.add(event_types)?;
    arguments.add(versions)?;
    arguments.add(times)?;
    arguments.add(payloads)?;
    arguments.add(traces)
}

/// Renders a commit: its relations, then lock, receipt, write, further rows and outbox.
fn render(parts: &[Part]) -> Sql {
    let mut sql = Sql::default();
    sql.push("with ");
    let (first, further) = match parts.split_first() {
        Some((first, further)) => (Some(first), further),
        None => (None, &[][..]),
    };
    if let Some(first) = first {
        sql.rows("new", first);
    }
    for part in further {
        sql.rows(&format!("new_{}", part.table.name), part);
    }
    let locks = first.filter(|first| matches!(first.action, Action::Update | Action::Delete | Action::Exists));
    if let Some(part) = locks {
        sql.push(&lock(part));
    }
    let locked = locks.map_or(String::new(), |part| format!(" and (select count(*) from current) = {}", part.rows));
    receipt(&mut sql, &locked);
    sql.push(&format!("written as ({}), ", first.map_or_else(|| "select from guard".to_owned(), write)));
    for part in further {
        sql.push(&further_rows(part, first));
    }
    outbox(&mut sql);
    sql.push("select count(*) from written");
    sql
}

/// Renders the rows at their expected versions, locked in the order of their keys.
fn lock(part: &Part) -> String {
    let table = quoted(part.table.name);
    let key = part.key(&format!("{table}."));
    let (same, expected) = (part.same_key(&table, "new"), part.as_expected(&table, "new"));
    let order = if part.rows > 1 { format!(" order by {key}") } else { String::new() };
    let strength = if part.action == Action::Exists { "key share" } else { "update" };
    format!("current as (select {key} from {table}, new where {same}{expected}{order} for {strength} of {table}), ")
}

/// Renders the receipt and the guard, which has a row unless the receipt exists or a lock was not as expected.
///
/// The receipt is inserted before the write, so that a second request with the same key waits for the first one instead of
/// violating its unique constraints. Without the lock's condition, a stale version would commit only its receipt.
fn receipt(sql: &mut Sql, locked: &str) {
    let columns = ReceiptRow::COLUMNS.iter().map(|column| (column.name.to_owned(), (column.sql_type)()));
    sql.relation("receipt_row", &columns.collect::<Vec<_>>(), 1);
    sql.push(&format!(
        "receipt_kept as (insert into receipt (scope, key, fingerprint, subject) \
         select scope, key, fingerprint, subject from receipt_row where scope is not null{locked} \
         on conflict do nothing returning scope), \
         guard as (select from receipt_row where (scope is null or exists (select from receipt_kept)){locked}), "
    ));
}

/// Renders the service's own write.
fn write(part: &Part) -> String {
    let table = quoted(part.table.name);
    let same = part.same_key(&table, "new");
    let key = part.key(&format!("{table}."));
    match part.action {
        Action::Update => {
            format!("update {table} set {} from new, guard where {same} returning {key}", part.assignments("new"))
        }
        Action::Exists => "select from guard".to_owned(),
        Action::Delete => format!("delete from {table} using new, guard where {same} returning {key}"),
        _ => format!(
            "{}, guard order by nth_row{} returning {}",
            part.insert("new"),
            part.on_conflict(),
            part.key("stored.")
        ),
    }
}

/// Renders the rows of a further table.
fn further_rows(part: &Part, written: Option<&Part>) -> String {
    let (name, table) = (part.table.name, quoted(part.table.name));
    let new = format!("new_{name}");
    let mut sql = String::new();
    if let (Action::Replace, Some(written)) = (part.action, written) {
        sql = format!(
            "{name}_removed as (delete from {table} using written where {} \
             and not exists (select from {new} where {})), ",
            same(written.table.key, &table, "written"),
            part.same_key(&new, &table)
        );
    }
    let insert = part.insert(&new);
    sql + &format!(
        "{name}_rows as ({insert} where exists (select from written) order by nth_row{}), ",
        part.on_conflict()
    )
}

/// Renders the outbox rows of the events, in their order.
fn outbox(sql: &mut Sql) {
    let arrays: Vec<String> = EVENT
        .iter()
        .map(|(column, sql_type)| format!("{}::{sql_type}[]", sql.parameter(format!("event.{column}"))))
        .collect();
    let columns = EVENT.map(|(column, _)| column).join(", ");
    sql.push(&format!(
        "event as (select * from unnest({}) with ordinality as event ({columns}, nth)), \
         outbox_rows as (insert into outbox ({columns}) select {columns} from event \
         where exists (select from written) order by nth) ",
        arrays.join(", ")
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::table_row! {
        struct ShelfRow in shelf (shelf_id) {
            shelf_id: i64,
            version: i64,
            names: Vec<String>,
        }
    }

    fn row() -> ShelfRow {
        ShelfRow { shelf_id: 7, version: 2, names: Vec::new() }
    }

    #[test]
    fn a_statement_is_rendered_once_for_its_shape() {
        let (first, second) = (Statement::insert(row()).sql(), Statement::insert(row()).sql());
        assert!(Arc::ptr_eq(&first, &second));
        let two = Statement::insert_all(vec![row(), row()]).sql();
        assert_ne!(first, two);
        assert!(
            two.contains("values (1, $1::int8, $2::int8, $3::text[]), (2, $4::int8, $5::int8, $6::text[])"),
            "{two}"
        );
    }

    #[test]
    fn each_parameter_is_a_column_of_a_named_relation() {
        let names = Statement::update(row(), Version::NONE.next()).parameters();
        assert_eq!(names[..4], ["new.shelf_id", "new.version", "new.names", "new.expected_version"]);
        assert_eq!(names[4..6], ["receipt_row.scope", "receipt_row.key"]);
        assert_eq!(names.last().map(String::as_str), Some("event.traceparent"));
    }
}
