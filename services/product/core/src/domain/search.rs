//! The comparison of texts, in the core so that every store agrees.

use caseless::Caseless;

/// Returns a text in the form that is compared ignoring case, by Unicode's default case folding.
pub fn fold(text: &str) -> String {
    text.chars().default_case_fold().collect()
}

/// Returns the case-folded words of a query or of a searched text. White space separates words; `%` and `_` have no special
/// meaning.
pub fn words(text: &str) -> Vec<String> {
    fold(text).split_whitespace().map(str::to_owned).collect()
}

/// Returns the text of a product that is searched: every word of name and SKU, preceded by one space.
///
/// A word of a query matches if its [`needle`] is a part of this text.
pub fn haystack(name: &str, sku: &str) -> String {
    words(name).iter().chain(&words(sku)).flat_map(|word| [" ", word]).collect()
}

/// Returns the text that a [`haystack`] must contain to match a word of a query.
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
    fn each_word_of_a_query_begins_a_word_of_name_or_sku() {
        assert!(found("re mu", "Red Mug", ""));
        assert!(found("mug red", "Red Mug", ""), "in any order");
        assert!(found("RED ab-1", "red mug", "AB-12"), "in name and SKU together");
        assert!(found("", "Red Mug", ""), "an empty query matches all");
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
    fn wildcards_have_no_special_meaning() {
        assert!(found("50%", "50% wool", ""));
        assert!(!found("5_%", "50% wool", ""));
        assert!(!found("%", "wool", ""));
    }
}
