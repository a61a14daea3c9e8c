//! How steps of all folders read the words of the business, and look at what came of them.

use mart_chassis::Record;
use mart_proto::r#type::v1::Money;
use serde_json::{Value, json};

use crate::Answer;

/// Money as people write it: `1500.00 PKR`.
///
/// # Panics
/// Where it is not.
pub fn money(text: &str) -> Money {
    let (amount, currency_code) = text.split_once(' ').unwrap_or_else(|| panic!("{text:?} is no amount and currency"));
    Money { amount: amount.to_owned(), currency_code: currency_code.to_owned() }
}

/// The same as the API has it.
pub fn money_json(text: &str) -> Value {
    let Money { amount, currency_code } = money(text);
    json!({ "amount": amount, "currencyCode": currency_code })
}

/// How many of what, of `2 mugs, 1 teapot`: each thing by the name of one.
///
/// # Panics
/// Where it is not such a list.
pub fn counted(text: &str) -> Vec<(i32, &str)> {
    let each = |part| -> Option<(i32, &str)> {
        let (count, name): (&str, &str) = str::split_once(part, ' ')?;
        Some((count.parse().ok()?, one(name)))
    };
    text.split(", ")
        .map(|part| each(part).unwrap_or_else(|| panic!("{part:?} does not say how many of what")))
        .collect()
}

/// The name of one of them: `mug` of `mugs`.
pub fn one(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// The rows of a step's table; none where it has none.
pub fn rows(step: &gherkin::Step) -> Vec<Vec<String>> {
    step.table.as_ref().map(|table| table.rows.clone()).unwrap_or_default()
}

/// The names of the events about an aggregate, in the order of their versions.
pub fn published(history: &[Record], topic: &str, key: &str) -> Vec<String> {
    let mut mine: Vec<&Record> = history.iter().filter(|record| record.topic == topic && record.key == key).collect();
    mine.sort_by_key(|record| record.version);
    mine.iter().map(|record| record.event_type.rsplit('.').next().unwrap_or_default().to_owned()).collect()
}

impl Answer {
    /// Fails unless it has this status, and the code of a problem or none.
    ///
    /// # Panics
    /// Where it has not.
    pub fn expect(&self, status: u16, code: &str) {
        let found = (self.status, self.body["code"].as_str().unwrap_or_default());
        assert_eq!(found, (status, code), "{}", self.body);
    }

    /// Fails unless the request was refused for these places in it, in their order, and no other.
    ///
    /// # Panics
    /// Where it was not.
    pub fn expect_violations(&self, places: &[&str]) {
        let violations = self.body["violations"].as_array().cloned().unwrap_or_default();
        let mut told: Vec<&str> = violations.iter().filter_map(|violation| violation["field"].as_str()).collect();
        told.dedup();
        assert_eq!((self.status, told), (400, places.to_vec()), "{}", self.body);
    }
}
