//! Pages of a list, and tokens that lead from one to the next.
//!
//! A token holds the cursor (the sort key of the last item) under a MAC that also covers the list's filter, so that it
//! can't be forged and can't be used with another filter.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::Timestamp;

/// How many items a page holds: 1 to [`PageSize::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// What a client gets that names no size.
    pub const DEFAULT: Self = Self(50);
    /// The largest page; a client that asks for more gets this one (AIP-158).
    pub const MAX: u16 = 200;

    /// Reads what a client asked for: zero or less is the default, too much is the maximum.
    pub fn requested(size: i32) -> Self {
        match u16::try_from(size) {
            Ok(0) => Self::DEFAULT,
            Ok(size) => Self(size.min(Self::MAX)),
            Err(_) if size.is_negative() => Self::DEFAULT,
            Err(_) => Self(Self::MAX),
        }
    }

    /// The number of items.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items in the list's order.
    pub items: Vec<T>,
    /// Leads to the next page; `None` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from up to `size + 1` items that a store found: the surplus one only tells that there are more.
    pub fn cut(mut found: Vec<T>, size: PageSize, token: impl FnOnce(&T) -> String) -> Self {
        let more = found.len() > size.get();
        found.truncate(size.get());
        let next = found.last().filter(|_| more).map(token);
        Self { items: found, next }
    }
}

/// A place in a list that has the newest first: by time, ties by id, both falling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newest {
    /// The time that the list is ordered by.
    pub at: Timestamp,
    /// The id that breaks ties.
    pub id: Uuid,
}

impl Newest {
    /// Its bytes, for a page token.
    pub fn encode(self) -> Vec<u8> {
        [self.id.as_bytes().as_slice(), &self.at.unix_micros().to_be_bytes()].concat()
    }

    /// Reads its bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, at) = bytes.split_at_checked(16)?;
        let at = Timestamp::from_unix_micros(i64::from_be_bytes(at.try_into().ok()?))?;
        Some(Self { at, id: Uuid::from_slice(id).ok()? })
    }
}

/// The token was not made by this seal for this filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page token is not one that this list gave for this filter")]
pub struct InvalidToken;

const TAG_BYTES: usize = 16;

/// Seals cursors into page tokens with HMAC-SHA-256 (RFC 2104), cut to 128 bits.
#[derive(Clone)]
pub struct PageSeal(Hmac<Sha256>);

impl PageSeal {
    /// All replicas of a service share the secret; under another one old tokens become invalid, nothing worse.
    pub fn new(secret: &[u8]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&super::Fingerprint::new("page-token").part(secret).finish());
        Self(Hmac::new(&block.into()))
    }

    /// Makes the token for a cursor within the list that the filter's fingerprint names.
    pub fn seal(&self, filter: [u8; 32], cursor: &[u8]) -> String {
        let mut bytes = self.tag(filter, cursor).finalize().into_bytes()[..TAG_BYTES].to_vec();
        bytes.extend_from_slice(cursor);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Gives the cursor back; the comparison takes the same time for every wrong tag.
    pub fn open(&self, filter: [u8; 32], token: &str) -> Result<Vec<u8>, InvalidToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let (tag, cursor) = bytes.split_at_checked(TAG_BYTES).ok_or(InvalidToken)?;
        self.tag(filter, cursor).verify_truncated_left(tag).map_err(|_| InvalidToken)?;
        Ok(cursor.to_vec())
    }

    /// The place behind the token of a list that has the newest first; none for the empty token of its first page.
    pub fn newest(&self, filter: [u8; 32], token: &str) -> Result<Option<Newest>, InvalidToken> {
        if token.is_empty() {
            return Ok(None);
        }
        Newest::decode(&self.open(filter, token)?).map(Some).ok_or(InvalidToken)
    }

    fn tag(&self, filter: [u8; 32], cursor: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&filter);
        mac.update(cursor);
        mac
    }
}

impl std::fmt::Debug for PageSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageSeal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_opens_only_whole_and_under_its_own_filter_and_secret(
            cursor: Vec<u8>, filter: [u8; 32], other: [u8; 32], flip: prop::sample::Index, bit in 0_u8..8,
        ) {
            let seal = PageSeal::new(b"secret");
            let token = seal.seal(filter, &cursor);
            prop_assert_eq!(seal.open(filter, &token), Ok(cursor.clone()));
            if filter != other {
                prop_assert_eq!(seal.open(other, &token), Err(InvalidToken));
            }
            prop_assert_eq!(PageSeal::new(b"other").open(filter, &token), Err(InvalidToken));

            let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("our own encoding");
            let at = flip.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(seal.open(filter, &URL_SAFE_NO_PAD.encode(bytes)), Err(InvalidToken));
        }

        #[test]
        fn a_text_that_is_no_token_is_refused(text in ".{0,40}") {
            prop_assert_eq!(PageSeal::new(b"secret").open([0; 32], &text), Err(InvalidToken));
        }
    }

    #[test]
    fn a_page_size_is_bounded() {
        for (asked, given) in
            [(0, 50), (-1, 50), (i32::MIN, 50), (1, 1), (200, 200), (201, 200), (70_000, 200), (i32::MAX, 200)]
        {
            assert_eq!(PageSize::requested(asked).get(), given, "{asked}");
        }
    }

    #[test]
    fn a_surplus_item_becomes_the_token_of_the_last_one_kept() {
        let size = PageSize::requested(2);
        let cut = |items: &[u8]| Page::cut(items.to_vec(), size, u8::to_string);
        assert_eq!(cut(&[1, 2, 3]), Page { items: vec![1, 2], next: Some("2".to_owned()) });
        assert_eq!(cut(&[1, 2]), Page { items: vec![1, 2], next: None });
        assert_eq!(cut(&[]), Page { items: vec![], next: None });
    }

    #[test]
    fn a_place_in_a_list_comes_back_from_its_token() {
        let seal = PageSeal::new(b"secret");
        let at = Timestamp::from_unix_micros(-1_790_000_000_000_001).expect("in range");
        let place = Newest { at, id: Uuid::from_u128(7) };
        assert_eq!(seal.newest([1; 32], &seal.seal([1; 32], &place.encode())), Ok(Some(place)));
        assert_eq!(seal.newest([1; 32], ""), Ok(None));
        assert_eq!(seal.newest([2; 32], &seal.seal([1; 32], &place.encode())), Err(InvalidToken));
        assert_eq!(seal.newest([1; 32], &seal.seal([1; 32], b"short")), Err(InvalidToken));
    }

    #[test]
    fn the_seal_does_not_print_its_secret() {
        assert_eq!(format!("{:?}", PageSeal::new(b"secret")), "PageSeal");
    }
}
