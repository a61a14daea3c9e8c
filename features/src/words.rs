//! Parses the phrases of steps, and checks responses. Shared by the steps of all folders.

use mart_chassis::Record;
use mart_proto::r#type::v1::Money;
use serde_json::{Value, json};

use crate::Answer;

/// Parses an amount such as `1500.00 PKR`.
/// # Panics
/// If it is not an amount and a currency.
pub fn money(text: &str) -> Money {
    let (amount, currency_code) =
        text.split_once(' ').unwrap_or_else(|| panic!("{text:?} is not an amount and a currency"));
    Money { amount: amount.to_owned(), currency_code: currency_code.to_owned() }
}

/// Returns the JSON form of an amount such as `1500.00 PKR`.
pub fn money_json(text: &str) -> Value {
    let Money { amount, currency_code } = money(text);
    json!({ "amount": amount, "currencyCode": currency_code })
}

/// Parses counts such as `2 mugs, 1 teapot`; each name becomes singular.
/// # Panics
/// If it is not such a list.
pub fn counted(text: &str) -> Vec<(i32, &str)> {
    let each = |part| -> Option<(i32, &str)> {
        let (count, name): (&str, &str) = str::split_once(part, ' ')?;
        Some((count.parse().ok()?, one(name)))
    };
    text.split(", ").map(|part| each(part).unwrap_or_else(|| panic!("{part:?} is not a count and a name"))).collect()
}

/// Returns the singular of a name: `mug` for `mugs`.
pub fn one(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// Returns the rows of a step's table; empty if it has none.
pub fn rows(step: &gherkin::Step) -> Vec<Vec<String>> {
    step.table.as_ref().map(|table| table.rows.clone()).unwrap_or_default()
}

/// Returns the names of the events about an aggregate, ordered by version.
pub fn published(history: &[Record], topic: &str, key: &str) -> Vec<String> {
    let mut mine: Vec<&Record> = history.iter().filter(|record| record.topic == topic && record.key == key).collect();
    mine.sort_by_key(|record| record.version);
    mine.iter().map(|record| record.event_type.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

impl Answer {
    /// Asserts the status and the problem code; the code is empty if there is no problem.
    /// # Panics
    /// If they differ.
    pub fn expect(&self, status: u16, code: &str) {
        let found = (self.status, self.body["code"].as_str().unwrap_or_default());
        assert_eq!(found, (status, code), "{}", self.body);
    }

    /// Asserts that the request was rejected for exactly these paths, in their order.
    /// # Panics
    /// If it was not.
    pub fn expect_violations(&self, places: &[&str]) {
        let violations = self.body["violations"].as_array().cloned().unwrap_or_default();
        let mut fields: Vec<&str> = violations.iter().filter_map(|violation| violation["field"].as_str()).collect();
        fields.dedup();
        assert_eq!((self.status, fields), (400, places.to_vec()), "{}", self.body);
    }
}
