//! Renders statements from the shape of the rows that they write, once per shape.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::row::{Column, TableRow};

/// What a statement does with the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// Inserts rows; an existing key is an error.
    Insert,
    /// Inserts the rows whose values in these columns do not exist.
    InsertNew(&'static str),
    /// Inserts rows, or updates all columns of those that exist.
    Upsert,
    /// As `Upsert`, but leaves a row that has a newer version.
    UpsertNewer,
    /// Updates all columns of rows that have the expected values.
    Update,
    /// Deletes rows that have the expected values.
    Delete,
    /// Writes nothing, and requires that rows exist.
    Exists,
    /// Makes these the only rows of the key that the commit wrote.
    Replace,
}

/// A table as its row struct describes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [Column],
}

impl Table {
    pub(super) fn of<R: TableRow>() -> Self {
        Self { name: R::TABLE, key: R::KEY, columns: R::COLUMNS }
    }
}

/// One write of a statement: its action, its table, the columns whose stored values are expected, and the number of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) action: Action,
    pub(super) table: Table,
    pub(super) expected: &'static [Column],
    pub(super) rows: usize,
    /// Identify the row structs, so that shapes are quickly compared.
    pub(super) types: (TypeId, TypeId),
}

/// Identifies a rendered statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    commit: bool,
    parts: Vec<(Action, TypeId, TypeId, usize)>,
}

impl Shape {
    pub(super) fn new(commit: bool, parts: &[Part]) -> Self {
        Self { commit, parts: parts.iter().map(|part| (part.action, part.types.0, part.types.1, part.rows)).collect() }
    }
}

static RENDERED: RwLock<Option<HashMap<Shape, Arc<str>>>> = RwLock::new(None);

/// Returns the text of a shape, and renders it if it is new.
pub(super) fn cached(shape: Shape, render: impl FnOnce() -> String) -> Arc<str> {
    let rendered = RENDERED.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = rendered.as_ref().and_then(|texts| texts.get(&shape)) {
        return text.clone();
    }
    drop(rendered);
    let mut rendered = RENDERED.write().unwrap_or_else(PoisonError::into_inner);
    rendered.get_or_insert_default().entry(shape).or_insert_with(|| render().into()).clone()
}

/// A text under construction, with the number of its last parameter.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    parameters: usize,
    /// The names of the parameters, such as `new.order_id`.
    pub(super) names: Vec<String>,
}

impl Sql {
    /// Adds a relation of rows, `NAME (COLUMNS) as (values …), `. Its first column, `nth_row`, counts the rows.
    ///
    /// Several uses of it must not materialize it: then a single row is as cheap as its parameters.
    pub(super) fn relation(&mut self, name: &str, columns: &[(String, String)], rows: usize) {
        let names: Vec<String> = columns.iter().map(|(column, _)| quoted(column)).collect();
        self.push(&format!("{name} (nth_row, {}) as not materialized (", names.join(", ")));
        if rows == 0 {
            let nulls: Vec<String> = columns.iter().map(|(_, sql_type)| format!("null::{sql_type}")).collect();
            self.push(&format!("select 0, {} where false", nulls.join(", ")));
        }
        for row in 0..rows {
            let before = if row == 0 { "values" } else { "," };
            self.push(&format!("{before} ({}", row + 1));
            for (column, sql_type) in columns {
                let number = self.parameter(format!("{name}.{column}"));
                self.push(&format!(", {number}::{sql_type}"));
            }
            self.text.push(')');
        }
        self.text.push_str("), ");
    }

    /// Adds the relation of a part's rows and of the values that are expected of them, as `expected_COLUMN`.
    pub(super) fn rows(&mut self, name: &str, part: &Part) {
        let columns = part.table.columns.iter().filter(|column| !part.by_key() || part.is_key(column.name));
        let columns = columns.map(|column| (column.name.to_owned(), (column.sql_type)()));
        let expected = part.expected.iter().map(|column| (format!("expected_{}", column.name), (column.sql_type)()));
        let columns: Vec<(String, String)> = columns.chain(expected).collect();
        self.relation(name, &columns, part.rows);
    }

    /// Returns the next parameter, such as `$3`.
    pub(super) fn parameter(&mut self, name: String) -> String {
        self.parameters += 1;
        self.names.push(name);
        format!("${}", self.parameters)
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }
}

impl Part {
    pub(super) fn is_key(&self, column: &str) -> bool {
        self.table.key.contains(&column)
    }

    /// Returns whether the statement has only the keys of the rows.
    fn by_key(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Exists)
    }

    /// Returns the columns, with a prefix each: `new.order_id, new.version`.
    pub(super) fn columns(&self, prefix: &str) -> String {
        let columns: Vec<String> =
            self.table.columns.iter().map(|column| format!("{prefix}{}", quoted(column.name))).collect();
        columns.join(", ")
    }

    /// Returns the columns of the key, with a prefix each, or a constant if the database generates the key.
    pub(super) fn key(&self, prefix: &str) -> String {
        if self.table.key.is_empty() {
            return "1".to_owned();
        }
        let columns: Vec<String> = self.table.key.iter().map(|column| format!("{prefix}{}", quoted(column))).collect();
        columns.join(", ")
    }

    /// Returns the condition that two relations have the same key.
    pub(super) fn same_key(&self, left: &str, right: &str) -> String {
        same(self.table.key, left, right)
    }

    /// Returns the condition that a stored row has the expected values.
    pub(super) fn as_expected(&self, stored: &str, new: &str) -> String {
        let equal = |column: &Column| {
            format!(" and {stored}.{} = {new}.{}", quoted(column.name), quoted(&format!("expected_{}", column.name)))
        };
        self.expected.iter().map(equal).collect()
    }

    /// Returns the assignments of all columns but the key from a relation.
    pub(super) fn assignments(&self, from: &str) -> String {
        let columns = self.table.columns.iter().filter(|column| !self.is_key(column.name));
        let assignments: Vec<String> = columns.map(|column| format!("{0} = {from}.{0}", quoted(column.name))).collect();
        assignments.join(", ")
    }

    /// Returns the insert of the rows of a relation, without its condition and its `on conflict`.
    pub(super) fn insert(&self, from: &str) -> String {
        format!(
            "insert into {} as stored ({}) select {} from {from}",
            quoted(self.table.name),
            self.columns(""),
            self.columns(&format!("{from}."))
        )
    }

    /// Returns what an insert does with keys that exist.
    pub(super) fn on_conflict(&self) -> String {
        let update = || format!(" on conflict ({}) do update set {}", self.key(""), self.assignments("excluded"));
        match self.action {
            Action::InsertNew(unique) => format!(" on conflict ({unique}) do nothing"),
            Action::Upsert | Action::Replace => update(),
            Action::UpsertNewer => update() + " where stored.version <= excluded.version",
            Action::Insert | Action::Update | Action::Delete | Action::Exists => String::new(),
        }
    }
}

/// Returns a name in quotes, because a column may be named like a keyword.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Returns the condition that two relations are equal in these columns.
pub(super) fn same(columns: &[&str], left: &str, right: &str) -> String {
    let equal: Vec<String> = columns.iter().map(|column| format!("{left}.{0} = {right}.{0}", quoted(column))).collect();
    equal.join(" and ")
}
