//! Password hashes and the rules of a password.

use std::collections::BTreeSet;
use std::fmt;

use super::Email;

/// The hash of a password with its salt and costs as a PHC string. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// The minimum number of different characters.
const VARIETY: usize = 5;

/// Returns whether a password is weak: it has fewer than 5 different characters or contains the mailbox name. The contract limits
/// its length.
pub fn is_weak(password: &str, email: &Email) -> bool {
    let lower = password.to_lowercase();
    let variety = lower.chars().collect::<BTreeSet<char>>().len();
    let mailbox = email.mailbox();
    variety < VARIETY || (mailbox.chars().count() > 3 && lower.contains(mailbox))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guessable_password_is_weak() {
        let email = Email::of("ayesha@example.com");
        for weak in ["aaaaaaaaaaaa", "abcdabcdabcd", "Ayesha-1990-!", "1212121212"] {
            assert!(is_weak(weak, &email), "{weak}");
        }
        for strong in ["correct horse", "ab@example.com", "ممنوع-ہے-یہاں"] {
            assert!(!is_weak(strong, &email), "{strong}");
        }
        assert!(
            !is_weak("it is ab cd ef", &Email::of("ab@example.com")),
            "a mailbox name of up to three characters is ignored"
        );
    }

    #[test]
    fn debug_output_has_no_hash() {
        assert_eq!(format!("{:?}", PasswordHash("$argon2id$…".to_owned())), "PasswordHash");
    }
}
