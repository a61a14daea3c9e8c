//! How texts are compared, decided here so that every store agrees.

use caseless::Caseless;

/// The form in which texts are compared without regard to case: Unicode's default case folding.
pub fn fold(text: &str) -> String {
    text.chars().default_case_fold().collect()
}

/// The words of a query or of a text that is searched, folded. A word is what stands between white space: `%` and `_` are
/// letters like all others.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split_whitespace().map(str::to_owned).collect()
}

/// The text that a store keeps of a product to search in: every word of name and SKU with one space before it.
///
/// A word of a query is found where [`needle`] of it is a part of this text.
pub fn haystack(name: &str, sku: &str) -> String {
    words(name).iter().chain(&words(sku)).flat_map(|word| [" ", word]).collect()
}

/// What to look for in a [`haystack`], for one word of a query.
pub fn needle(word: &str) -> String {
    format!(" {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, name: &str, sku: &str) -> bool {
        let haystack = haystack(name, sku);
        words(query).iter().all(|word| haystack.contains(&needle(word)))
    }

    #[test]
    fn every_word_of_the_query_begins_a_word_of_name_or_sku() {
        assert!(found("re mu", "Red Mug", ""));
        assert!(found("mug red", "Red Mug", ""), "in any order");
        assert!(found("RED ab-1", "red mug", "AB-12"), "in name and SKU together");
        assert!(found("", "Red Mug", ""), "an empty query finds all");
        assert!(!found("ed", "Red Mug", ""), "not the middle of a word");
        assert!(!found("red cup", "Red Mug", ""), "not only some words");
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert!(found("STRASSE", "Straße", ""));
        assert!(found("ΟΔΥΣΣΕΥΣ", "Ὀδυσσεύς οδυσσευς", ""));
        assert!(found("چائے", "چائے کا کپ", ""));
    }

    #[test]
    fn wildcards_are_letters() {
        assert!(found("50%", "50% wool", ""));
        assert!(!found("5_%", "50% wool", ""));
        assert!(!found("%", "wool", ""));
    }
}
