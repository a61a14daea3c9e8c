//! A field of a resource in its forms: contract, core, column, JSON.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind};

use super::sample;
use crate::contract::names;

/// A field of a resource.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name in the contract.
    pub(crate) name: String,
    /// Its name in Rust.
    pub(crate) ident: String,
    /// Its name in JSON.
    pub(crate) json: String,
    /// Its variant of the enum of changes.
    pub(crate) variant: String,
    pub(crate) comment: String,
    /// Its type in the core.
    pub(crate) core: String,
    /// Whether its type implements `Eq`.
    pub(crate) eq: bool,
    /// The expression that converts it from `details` to the contract.
    pub(crate) out: String,
    /// The expression that converts it from the contract, where a variable of its name has the value.
    pub(crate) parsed: String,
    pub(crate) columns: Vec<Column>,
    /// The expression that reads it from the variables of its columns.
    pub(crate) read: String,
    /// Two values for tests. The first one depends on `n`.
    pub(crate) value: String,
    pub(crate) other: String,
    /// Two values in JSON that satisfy the contract's rules.
    pub(crate) samples: [String; 2],
    /// Whether both samples are equal, because no other value is known that satisfies the rules.
    pub(crate) fixed: bool,
}

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name in Rust.
    pub(crate) ident: String,
    /// Its name in the contract.
    name: String,
    /// Its name in SQL in a migration.
    pub(crate) plain: String,
    /// Its type and its constraints.
    pub(crate) kind: String,
    /// Its type in the row struct.
    pub(crate) rust: String,
    /// The expression that converts it from the variable of the field.
    bind: String,
}

impl Column {
    /// Returns the field of the row struct.
    pub(crate) fn declaration(&self) -> String {
        let Self { ident, name, rust, .. } = self;
        let named = ident.strip_prefix("r#").unwrap_or(ident) == name;
        if named { format!("{ident}: {rust}") } else { format!("{ident}: {rust} = {name:?}") }
    }

    /// Returns the field of the row struct with its value.
    pub(crate) fn value(&self) -> String {
        assigned(&self.ident, &self.bind)
    }
}

/// Returns a field of a struct with its value, in short form if both have the same name.
fn assigned(ident: &str, value: &str) -> String {
    if ident == value { ident.to_owned() } else { format!("{ident}: {value}") }
}

/// The forms of a scalar type of the contract.
struct Shape {
    core: &'static str,
    copy: bool,
    column: &'static str,
    /// Its type in a row struct.
    row: &'static str,
    /// The expressions that convert `x` to the row and back.
    bind: &'static str,
    read: &'static str,
    /// The functions that convert an optional value to the row and back, after the variable.
    optional: (&'static str, &'static str),
    value: &'static str,
    other: &'static str,
}

const STRING: Shape = Shape {
    core: "String",
    copy: false,
    column: "text",
    row: "String",
    bind: "x",
    read: "x",
    optional: ("", ""),
    value: "format!(\"{name} {n} ünïcode % _ \\\\ '\")",
    other: "\"other\".to_owned()",
};

fn shape(kind: &Kind) -> Option<Shape> {
    let number = |core, column, value, other| Shape { core, copy: true, column, row: core, value, other, ..STRING };
    Some(match kind {
        Kind::String => STRING,
        Kind::Bytes => Shape {
            core: "Vec<u8>",
            column: "bytea",
            row: "Vec<u8>",
            value: "vec![0, 255]",
            other: "vec![7]",
            ..STRING
        },
        Kind::Bool => number("bool", "boolean", "true", "false"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            number("i32", "integer", "i32::try_from(n).expect(\"small\")", "-1")
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            number("i64", "bigint", "i64::try_from(n).expect(\"small\")", "i64::MIN")
        }
        Kind::Uint32 | Kind::Fixed32 => Shape {
            row: "i64",
            bind: "i64::from(x)",
            read: "u32::try_from(x).map_err(decode_error)?",
            optional: (".map(i64::from)", ".map(u32::try_from).transpose().map_err(decode_error)?"),
            ..number("u32", "bigint", "u32::try_from(n).expect(\"small\")", "u32::MAX")
        },
        Kind::Uint64 | Kind::Fixed64 => Shape {
            row: "i64",
            bind: "x.cast_signed()",
            read: "x.cast_unsigned()",
            optional: (".map(u64::cast_signed)", ".map(i64::cast_unsigned)"),
            ..number("u64", "bigint", "n", "u64::MAX")
        },
        Kind::Float => number("f32", "real", "1.5", "-0.25"),
        Kind::Double => number("f64", "double precision", "1.5", "-0.25"),
        Kind::Message(_) | Kind::Enum(_) => return None,
    })
}

/// Keywords that PostgreSQL accepts as a column name only in quotes.
const RESERVED: &str = " all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
    collate collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except \
    false fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join \
    lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer \
    overlaps placing primary references returning right select session_user similar some symmetric system_user table \
    tablesample then to trailing true union unique user using variadic verbose when where window with between bigint \
    bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int integer interval \
    least national nchar none normalize nullif numeric out overlay position precision real row setof smallint \
    substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest \
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

fn reserved(name: &str) -> bool {
    RESERVED.contains(&format!(" {name} "))
}

/// Returns a SQL name for a migration.
pub(crate) fn plain_name(name: &str) -> String {
    if reserved(name) { format!("\"{name}\"") } else { name.to_owned() }
}

fn column(name: &str, kind: &str, rust: &str, bind: String) -> Column {
    let (plain, kind, rust) = (plain_name(name), kind.to_owned(), rust.to_owned());
    Column { ident: names::snake(name), name: name.to_owned(), plain, kind, rust, bind }
}

/// Returns a field in all its forms, or `None` if its type is not supported.
pub(super) fn field(descriptor: &FieldDescriptor, comment: String, package: &str) -> Option<Field> {
    let in_oneof = descriptor.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
    if descriptor.is_list() || descriptor.is_map() || in_oneof {
        return None;
    }
    let name = descriptor.name().to_owned();
    let ident = names::snake(&name);
    let optional = descriptor.supports_presence() && !matches!(descriptor.kind(), Kind::Message(_));
    let from = format!("details.{ident}");
    let samples = sample::json(descriptor)?;
    let mut field = Field {
        json: descriptor.json_name().to_owned(),
        variant: names::camel(&name),
        comment,
        core: String::new(),
        eq: true,
        out: String::new(),
        parsed: String::new(),
        columns: Vec::new(),
        read: String::new(),
        value: String::new(),
        other: String::new(),
        fixed: samples[0] == samples[1],
        samples,
        ident,
        name,
    };
    match descriptor.kind() {
        Kind::Enum(of) => enumeration(&mut field, &of, optional, &from, package)?,
        Kind::Message(of) if of.full_name() == "google.protobuf.Timestamp" => timestamp(&mut field, &from),
        Kind::Message(of) if of.full_name().ends_with(".type.v1.Money") => money(&mut field, &from),
        kind => {
            let shape = shape(&kind)?;
            scalar(&mut field, &shape, optional, &from);
        }
    }
    Some(field)
}

/// Fills in the forms of a time.
fn timestamp(field: &mut Field, from: &str) {
    let (name, ident) = (field.name.as_str(), field.ident.as_str());
    "Option<Timestamp>".clone_into(&mut field.core);
    field.out = format!("{from}.map(time)");
    field.parsed = format!("timestamp({:?}, {ident})?", field.json);
    let bind = format!("{ident}.map(Timestamp::get)");
    field.columns = vec![column(name, "timestamptz", "Option<OffsetDateTime>", bind)];
    field.read = format!("{ident}.map(Timestamp::new)");
    "Some(at(i64::try_from(n).expect(\"small\")))".clone_into(&mut field.value);
    "None".clone_into(&mut field.other);
}

/// Fills in the forms of an amount of money, which has two columns.
fn money(field: &mut Field, from: &str) {
    let (name, ident) = (field.name.as_str(), field.ident.as_str());
    "Option<Money>".clone_into(&mut field.core);
    field.out = format!("{from}.map(money)");
    field.parsed = format!("{ident}.map(|money| exact({:?}, &money)).transpose()?", field.json);
    let (minor, currency) = (format!("{name}_minor"), format!("{name}_currency"));
    let code = format!("{ident}.map(|money| money.currency().code().to_owned())");
    field.columns = vec![
        column(&minor, "bigint", "Option<i64>", format!("{ident}.map(Money::minor)")),
        column(&currency, "text", "Option<String>", code),
    ];
    field.read = format!("read_money({minor}, {currency}.as_deref())?");
    "Some(Money::parse(\"1500.00\", \"PKR\").expect(\"money\"))".clone_into(&mut field.value);
    "None".clone_into(&mut field.other);
}

/// Fills in the forms of a scalar type.
fn scalar(field: &mut Field, shape: &Shape, optional: bool, from: &str) {
    let (name, ident) = (field.name.as_str(), field.ident.as_str());
    field.eq = !shape.core.starts_with('f');
    let owned = if shape.copy { from.to_owned() } else { format!("{from}.clone()") };
    let value = shape.value.replace("{name}", name);
    ident.clone_into(&mut field.parsed);
    field.out.clone_from(&owned);
    if optional {
        field.core = format!("Option<{}>", shape.core);
        let (to_row, from_row) = shape.optional;
        let rust = format!("Option<{}>", shape.row);
        field.columns = vec![column(name, shape.column, &rust, format!("{ident}{to_row}"))];
        field.read = format!("{ident}{from_row}");
        field.value = format!("Some({value})");
        "None".clone_into(&mut field.other);
    } else {
        shape.core.clone_into(&mut field.core);
        let kind = format!("{} not null", shape.column);
        field.columns = vec![column(name, &kind, shape.row, shape.bind.replacen('x', ident, 1))];
        field.read = shape.read.replacen("(x)", &format!("({ident})"), 1);
        if let Some(rest) = shape.read.strip_prefix('x') {
            field.read = format!("{ident}{rest}");
        }
        field.value = value;
        shape.other.clone_into(&mut field.other);
    }
}

/// Fills in the forms of an enum whose zero is UNSPECIFIED, which is `None` in the core.
fn enumeration(field: &mut Field, of: &EnumDescriptor, optional: bool, from: &str, package: &str) -> Option<()> {
    let has_unspecified = of.values().any(|value| value.number() == 0 && value.name().ends_with("UNSPECIFIED"));
    let first = of.values().find(|value| value.number() != 0)?;
    if !has_unspecified || of.package_name() != package || of.parent_message().is_some() {
        return None;
    }
    let (camel, function, ident) = (names::camel(of.name()), names::snake(of.name()), field.ident.as_str());
    let function = names::bare(&function);
    field.core = format!("Option<{camel}>");
    if optional {
        field.out = format!("{from}.map(|value| {function}(value).into())");
        field.parsed = format!("{ident}.and_then({function}_named)");
    } else {
        field.out = format!("{from}.map_or(0, |value| {function}(value).into())");
        field.parsed = format!("{function}_named({ident})");
    }
    let stored: Vec<String> = of.values().filter(|value| value.number() != 0).map(|v| stored(of, v.name())).collect();
    let check = stored.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ");
    let kind = format!("text check ({} in ({check}))", plain_name(&field.name));
    let bind = format!("{ident}.map(|value| {function}_name(value).to_owned())");
    field.columns = vec![column(&field.name, &kind, "Option<String>", bind)];
    field.read = format!("{ident}.as_deref().map(read_{function}).transpose()?");
    field.value = format!("Some({camel}::{})", names::variant(of.name(), first.name()));
    "None".clone_into(&mut field.other);
    Some(())
}

/// Returns the form of an enum's value in the database.
pub(super) fn stored(of: &EnumDescriptor, value: &str) -> String {
    let variant = names::variant(of.name(), value);
    let text = names::snake(names::bare(&variant));
    names::bare(&text).to_owned()
}

impl Field {
    /// Returns the field of the details with its value from a row.
    pub(crate) fn assigned(&self) -> String {
        assigned(&self.ident, &self.read)
    }

    /// Returns whether its type in the core is this one or an `Option` of it.
    pub(crate) fn is(&self, core: &str) -> bool {
        self.core == core || self.core == format!("Option<{core}>")
    }
}
