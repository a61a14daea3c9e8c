//! Queries with named parameters.

/// Builds a query from SQL with named parameters and their values.
///
/// ```
/// # let (customer, limit) = ("c-1", 20_i64);
/// let query = mart_chassis::sql!(
///     "select * from orders where customer_id = $customer_id limit $limit",
///     customer_id = customer,
///     limit = limit,
/// );
/// ```
///
/// The text is a literal or a constant. Its names become numbers when it is compiled, so that PostgreSQL prepares it once. A name
/// without a value and a value that the text does not name are compile errors.
///
/// A page of a list has the parameters of [`newest_first!`](crate::newest_first), whose values `page(after, limit)` gives.
#[macro_export]
macro_rules! sql {
    ($text:expr, page($after:expr, $limit:expr) $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::sql!(
            $text,
            after_at = $after.map(|after| after.at.get()),
            after_id = $after.map(|after| after.id),
            limit = $limit
            $(, $name = $value)*
        )
    };
    ($text:expr $(, $name:ident = $value:expr)* $(,)?) => {{
        const NAMES: &[&str] = &[$(stringify!($name)),*];
        const TEXT: &str = $text;
        const BYTES: [u8; $crate::db::sql::numbered_len(TEXT, NAMES)] = $crate::db::sql::numbered(TEXT, NAMES);
        const SQL: &str = $crate::db::sql::text(&BYTES);
        ::sqlx::query::<::sqlx::Postgres>(SQL)$(.bind($value))*
    }};
}

/// The end of the SQL of a list with the newest items first: the condition that continues after a cursor, the order and the limit.
/// Its arguments are the columns of the time and of the id.
#[macro_export]
macro_rules! newest_first {
    ($at:literal, $id:literal) => {
        concat!(
            "(",
            $at,
            ", ",
            $id,
            ") < (coalesce($after_at, 'infinity'::timestamptz), ",
            "coalesce($after_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) ",
            "order by ",
            $at,
            " desc, ",
            $id,
            " desc limit $limit"
        )
    };
}

/// Returns the length of a text whose names are numbers.
#[doc(hidden)]
pub const fn numbered_len(text: &str, names: &[&str]) -> usize {
    rewrite(text, names, &mut [])
}

/// Returns a text whose names are numbers.
#[doc(hidden)]
pub const fn numbered<const LEN: usize>(text: &str, names: &[&str]) -> [u8; LEN] {
    let mut into = [0; LEN];
    rewrite(text, names, &mut into);
    into
}

#[doc(hidden)]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("the names of parameters are ASCII"),
    }
}

/// Writes the text with numbers instead of names, as far as there is room. Returns the length of the whole.
const fn rewrite(text: &str, names: &[&str], into: &mut [u8]) -> usize {
    let text = text.as_bytes();
    let (mut read, mut written, mut used) = (0, 0, [false; 64]);
    while read < text.len() {
        let byte = text[read];
        read += 1;
        put(into, written, byte);
        written += 1;
        if byte == b'$' {
            let start = read;
            while read < text.len() && (text[read].is_ascii_alphanumeric() || text[read] == b'_') {
                read += 1;
            }
            let number = position(names, text, start, read);
            used[number] = true;
            let number = number + 1;
            if number >= 10 {
                put(into, written, digit(number / 10));
                written += 1;
            }
            put(into, written, digit(number % 10));
            written += 1;
        }
    }
    let mut name = 0;
    while name < names.len() {
        assert!(used[name], "a value of sql! is not named in its text");
        name += 1;
    }
    written
}

const fn put(into: &mut [u8], at: usize, byte: u8) {
    if at < into.len() {
        into[at] = byte;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a digit")]
const fn digit(value: usize) -> u8 {
    b'0' + value as u8
}

/// Returns the index of the name that stands in a part of the text.
const fn position(names: &[&str], text: &[u8], start: usize, end: usize) -> usize {
    let mut index = 0;
    while index < names.len() {
        let name = names[index].as_bytes();
        if name.len() == end - start {
            let mut at = 0;
            while at < name.len() && name[at] == text[start + at] {
                at += 1;
            }
            if at == name.len() {
                return index;
            }
        }
        index += 1;
    }
    panic!("a $name in the text of sql! has no value")
}

#[cfg(test)]
mod tests {
    use sqlx::Execute;

    #[test]
    fn names_become_numbers_in_the_order_of_the_values() {
        let query = sql!("select $b::text, $a, $b from t where x = $a", a = 1, b = "2");
        assert_eq!(query.sql().as_str(), "select $2::text, $1, $2 from t where x = $1");
    }

    #[test]
    fn a_name_may_begin_with_another_one() {
        let query = sql!("$at $at_id $at", at = 1, at_id = 2);
        assert_eq!(query.sql().as_str(), "$1 $2 $1");
    }

    #[test]
    fn the_tenth_name_has_two_digits() {
        let query = sql!(
            concat!("$a $b $c $d $e $f ", "$g $h $i $j $k"),
            a = 1,
            b = 1,
            c = 1,
            d = 1,
            e = 1,
            f = 1,
            g = 1,
            h = 1,
            i = 1,
            j = 1,
            k = 1,
        );
        assert_eq!(query.sql().as_str(), "$1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11");
    }
}
