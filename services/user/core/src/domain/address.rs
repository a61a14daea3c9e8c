//! The saved addresses of a user, each with a label.

use std::collections::BTreeMap;

/// The largest number of saved addresses.
pub const MAX_ADDRESSES: usize = 20;

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The recipient's name.
    pub recipient: String,
    /// Street and further lines.
    pub lines: Vec<String>,
    /// The city.
    pub city: String,
    /// The postal code; empty if there is none.
    pub postal_code: String,
    /// The country as ISO 3166-1 alpha-2.
    pub country_code: String,
}

/// Addresses by label. Surrounding space of a label is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressBook(pub BTreeMap<String, Address>);

impl AddressBook {
    /// Saves an address with a label and returns the stored label. An existing address with this label is replaced. Returns `None`
    /// if there are [`MAX_ADDRESSES`] others.
    pub fn set(&mut self, label: &str, address: Address) -> Option<String> {
        let label = label.trim();
        if self.0.len() >= MAX_ADDRESSES && !self.0.contains_key(label) {
            return None;
        }
        self.0.insert(label.to_owned(), address);
        Some(label.to_owned())
    }

    /// Deletes the address with a label. Returns whether there was one.
    pub fn remove(&mut self, label: &str) -> bool {
        self.0.remove(label.trim()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(city: &str) -> Address {
        let (recipient, postal_code, country_code) = ("A".to_owned(), String::new(), "PK".to_owned());
        Address { recipient, lines: vec!["House 7".to_owned()], city: city.to_owned(), postal_code, country_code }
    }

    #[test]
    fn a_label_has_one_address_ignoring_surrounding_space() {
        let mut book = AddressBook::default();
        assert_eq!(book.set(" home ", at("Lahore")).as_deref(), Some("home"));
        assert_eq!(book.set("home", at("Karachi")).as_deref(), Some("home"));
        assert_eq!(book.0, BTreeMap::from([("home".to_owned(), at("Karachi"))]));
        assert_eq!((book.remove(" home"), book.remove("home")), (true, false));
    }

    #[test]
    fn only_a_new_label_counts_against_the_limit() {
        let mut book = AddressBook::default();
        for nth in 0..MAX_ADDRESSES {
            assert!(book.set(&nth.to_string(), at("Lahore")).is_some(), "{nth}");
        }
        assert_eq!(book.set("one more", at("Lahore")), None);
        assert!(book.set("0", at("Karachi")).is_some(), "an existing label gets another address");
        assert_eq!(book.0.len(), MAX_ADDRESSES);
    }
}
