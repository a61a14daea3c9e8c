//! The version of an aggregate: how many events it has published.

use std::fmt;
use std::str::FromStr;

/// Counts the events of one aggregate. Every event takes the next version; the row and its `ETag` keep the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(i64);

impl Version {
    /// The version of an aggregate that does not exist yet.
    pub const NONE: Self = Self(0);

    /// The version that the next event takes.
    ///
    /// Saturates: 2^63 events of one aggregate are out of reach.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number itself, zero or more.
    pub fn get(self) -> i64 {
        self.0
    }

    /// Takes a stored number; `None` for a negative one.
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
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let version = text.parse().ok().and_then(Self::from_stored).ok_or(NotAVersion)?;
        if version.to_string() == text { Ok(version) } else { Err(NotAVersion) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_version_reads_back_what_it_prints(number in 0..i64::MAX) {
            let version = Version::from_stored(number).expect("not negative");
            prop_assert_eq!(version.to_string().parse(), Ok(version));
            prop_assert_eq!(version.next().get(), number + 1);
        }
    }

    #[test]
    fn a_version_has_one_spelling() {
        for text in ["", "-1", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808"] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text:?}");
        }
    }

    #[test]
    fn the_last_version_does_not_wrap_around() {
        let last = Version::from_stored(i64::MAX).expect("not negative");
        assert_eq!(last.next(), last);
        assert_eq!(Version::from_stored(-1), None);
    }
}
