//! The version of an aggregate: the number of its events.

use std::fmt;
use std::str::FromStr;

/// The number of events of one aggregate. Each event increments it; the row and its `ETag` have the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(i64);

impl Version {
    /// The version of an aggregate that does not exist yet.
    pub const NONE: Self = Self(0);

    /// Returns the version of the next event. It saturates at 2^63 - 1.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the number, zero or more.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Converts a stored number; `None` if it is negative.
    pub fn from_stored(number: i64) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not the decimal form of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version: expected a whole number without sign or leading zeros")]
pub struct ParseVersionError;

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let version = text.parse().ok().and_then(Self::from_stored).ok_or(ParseVersionError)?;
        if version.to_string() == text { Ok(version) } else { Err(ParseVersionError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_version_parses_what_it_prints(number in 0..i64::MAX) {
            let version = Version::from_stored(number).expect("not negative");
            prop_assert_eq!(version.to_string().parse(), Ok(version));
            prop_assert_eq!(version.next().get(), number + 1);
        }
    }

    #[test]
    fn a_version_has_one_canonical_form() {
        for text in ["", "-1", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808"] {
            assert_eq!(text.parse::<Version>(), Err(ParseVersionError), "{text:?}");
        }
    }

    #[test]
    fn the_last_version_does_not_wrap_around() {
        let last = Version::from_stored(i64::MAX).expect("not negative");
        assert_eq!(last.next(), last);
        assert_eq!(Version::from_stored(-1), None);
    }
}
