//! Writes of rows without receipt and events: within a transaction, or alone by [`Database::write`](super::Database::write).

use std::sync::Arc;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgExecutor};
use sqlx::{AssertSqlSafe, Error};

use super::render::{Action, Part, Shape, Sql, cached, quoted};
use super::row::{Relation, TableRow, updates};
use super::statement::part;

/// Rows to write, all by one statement. Without rows, nothing is executed.
#[derive(Debug)]
#[must_use = "it is written by `execute`"]
pub struct Write {
    part: Part,
    arguments: Result<PgArguments, BoxDynError>,
}

/// Inserts rows, in this order. An existing key or unique value is an error.
pub fn insert<R: TableRow>(rows: impl IntoIterator<Item = R>) -> Write {
    Write::new(Action::Insert, rows)
}

/// Inserts the rows whose values in these columns, such as `subject, channel`, do not exist. Another unique value is an error.
pub fn insert_new<R: TableRow>(rows: impl IntoIterator<Item = R>, unique: &'static str) -> Write {
    Write::new(Action::InsertNew(unique), rows)
}

/// Inserts rows, or updates all columns of those that exist.
pub fn upsert<R: TableRow>(rows: impl IntoIterator<Item = R>) -> Write {
    const { assert!(updates::<R>(), "the table has a key and a column beside it") };
    Write::new(Action::Upsert, rows)
}

/// Inserts rows, or updates those that exist with the same or an older version. The table has a column `version`.
pub fn upsert_newer<R: TableRow>(rows: impl IntoIterator<Item = R>) -> Write {
    const { assert!(updates::<R>(), "the table has a key and a column beside it") };
    Write::new(Action::UpsertNewer, rows)
}

/// Updates all columns of a row whose stored values are the expected ones.
pub fn update<R: TableRow, E: Relation>(row: R, expected: E) -> Write {
    const { assert!(updates::<R>(), "the table has a key and a column beside it") };
    let mut arguments = PgArguments::default();
    let bound = row.bind(&mut arguments).and_then(|()| expected.bind(&mut arguments));
    Write { part: part::<R, E>(Action::Update, 1), arguments: bound.map(|()| arguments) }
}

impl Write {
    fn new<R: TableRow>(action: Action, rows: impl IntoIterator<Item = R>) -> Self {
        let (mut arguments, mut count) = (Ok(PgArguments::default()), 0);
        for row in rows {
            arguments = arguments.and_then(|mut arguments| row.bind(&mut arguments).map(|()| arguments));
            count += 1;
        }
        Self { part: part::<R, ()>(action, count), arguments }
    }

    /// Returns the text.
    pub fn sql(&self) -> Arc<str> {
        cached(Shape::new(false, &[self.part]), || render(&self.part))
    }

    /// Executes the write. Returns the number of rows that it wrote.
    pub async fn execute(self, executor: impl PgExecutor<'_>) -> Result<u64, Error> {
        if self.part.rows == 0 {
            return Ok(0);
        }
        let sql = self.sql();
        let arguments = self.arguments.map_err(Error::Encode)?;
        Ok(sqlx::query_with(AssertSqlSafe(sql), arguments).execute(executor).await?.rows_affected())
    }
}

/// Renders a write.
fn render(part: &Part) -> String {
    let mut sql = Sql::default();
    sql.push("with ");
    sql.rows("new", part);
    let mut text = sql.text.trim_end_matches(", ").to_owned();
    text.push(' ');
    let table = quoted(part.table.name);
    if part.action == Action::Update {
        let (same, expected) = (part.same_key(&table, "new"), part.as_expected(&table, "new"));
        return text + &format!("update {table} set {} from new where {same}{expected}", part.assignments("new"));
    }
    text + &part.insert("new") + " order by nth_row" + &part.on_conflict()
}
