//! Rows of tables as structs: their columns are written down once.

use sqlx::Postgres;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::types::Type;

/// The name of a column and the SQL type of its Rust type.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// Returns the SQL type, such as `int8` or `text[]`.
    pub sql_type: fn() -> String,
}

/// A struct whose values are rows of a relation in a statement. [`relation!`](crate::relation) and
/// [`table_row!`](crate::table_row) implement it.
pub trait Relation: Sized + Send + 'static {
    /// The columns, in the order in which `bind` binds them.
    const COLUMNS: &'static [Column];

    /// Adds the values of all columns to the arguments.
    fn bind(self, arguments: &mut PgArguments) -> Result<(), BoxDynError>;
}

/// A row of a table. [`table_row!`](crate::table_row) implements it.
pub trait TableRow: Relation {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns of the primary key. Empty if the database generates it.
    const KEY: &'static [&'static str];

    /// Decodes a row that has all columns.
    fn read(row: &PgRow) -> Result<Self, sqlx::Error>;
}

/// Returns whether rows of the table can be updated: it has a key and a column beside it.
pub(super) const fn updates<R: TableRow>() -> bool {
    !R::KEY.is_empty() && R::COLUMNS.len() > R::KEY.len()
}

/// Returns the SQL type of a Rust type.
#[doc(hidden)]
pub fn sql_type<T: Type<Postgres>>() -> String {
    T::type_info().to_string().to_lowercase()
}

/// Returns a name without the mark of a raw identifier.
#[doc(hidden)]
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', bare @ ..] => match std::str::from_utf8(bare) {
            Ok(bare) => bare,
            Err(_) => name,
        },
        _ => name,
    }
}

/// Defines a struct whose fields are the columns of a relation in a statement.
#[macro_export]
macro_rules! relation {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($column:ident: $type:ty $(= $sql:literal)?),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq)]
        $vis struct $name {
            $($column: $type),+
        }

        // Without its values, which may be secret or personal.
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl $crate::db::row::Relation for $name {
            const COLUMNS: &'static [$crate::db::row::Column] = &[
                $($crate::db::row::Column {
                    name: [$($sql,)? $crate::db::row::plain(stringify!($column))][0],
                    sql_type: $crate::db::row::sql_type::<$type>,
                }),+
            ];

            fn bind(self, arguments: &mut ::sqlx::postgres::PgArguments) -> Result<(), ::sqlx::error::BoxDynError> {
                let Self { $($column),+ } = self;
                $(::sqlx::Arguments::add(arguments, $column)?;)+
                Ok(())
            }
        }
    };
}

/// Defines the row struct of a table: its name, the columns of its primary key unless the database generates it, and all columns
/// that the service writes.
///
/// ```
/// mart_chassis::table_row! {
///     /// A row of `shelf`.
///     struct ShelfRow in shelf (shelf_id) {
///         shelf_id: uuid::Uuid,
///         version: i64,
///         name: String,
///     }
/// }
/// ```
///
/// A column whose name is no name of a field is written as `crate_: String = "crate"`.
///
/// Two mappings belong to it, both by exhaustive destructuring: `From<Shelf> for ShelfRow` and `TryFrom<ShelfRow> for Shelf`. A new
/// column is a field here, a line in both mappings (the compiler names them), and a migration.
#[macro_export]
macro_rules! table_row {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident in $table:ident $(($($key:ident),+))? {
            $($column:ident: $type:ty $(= $sql:literal)?),+ $(,)?
        }
    ) => {
        $crate::relation! {
            $(#[$meta])*
            $vis struct $name {
                $($column: $type $(= $sql)?),+
            }
        }

        impl $crate::db::row::TableRow for $name {
            const TABLE: &'static str = $crate::db::row::plain(stringify!($table));
            const KEY: &'static [&'static str] = &[$($($crate::db::row::plain(stringify!($key))),+)?];

            fn read(row: &::sqlx::postgres::PgRow) -> Result<Self, ::sqlx::Error> {
                Ok(Self {
                    $($column: ::sqlx::Row::try_get(row, [$($sql,)? $crate::db::row::plain(stringify!($column))][0])?),+
                })
            }
        }
    };
}
