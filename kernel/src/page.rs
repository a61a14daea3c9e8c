//! Pages of a list, and the signed tokens that continue it.
//!
//! A token contains the cursor (the sort key of the last item) and a MAC over the cursor and the list's filter. A forged token
//! or one of another filter is rejected.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::{StoreError, Timestamp};

/// The number of items on a page: 1 to [`PageSize::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The size if the client names none.
    pub const DEFAULT: Self = Self(50);
    /// The largest size. A larger requested size is reduced to it (AIP-158).
    pub const MAX: u16 = 200;

    /// Returns the size for a client's request: the default for zero or less, at most the maximum.
    pub fn requested(size: i32) -> Self {
        match u16::try_from(size) {
            Ok(0) => Self::DEFAULT,
            Ok(size) => Self(size.min(Self::MAX)),
            Err(_) if size.is_negative() => Self::DEFAULT,
            Err(_) => Self(Self::MAX),
        }
    }

    /// Returns the number of items.
    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items in the list's order.
    pub items: Vec<T>,
    /// The token of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page from the up to `size + 1` items that a store found. The surplus item only shows that there are more.
    pub fn cut(mut found: Vec<T>, size: PageSize, token: impl FnOnce(&T) -> String) -> Self {
        let more = found.len() > size.get();
        found.truncate(size.get());
        let next = found.last().filter(|_| more).map(token);
        Self { items: found, next }
    }
}

/// The result of publishing a page of the current state again, so that read models can be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Republished {
    /// The number of published resources.
    pub count: usize,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

/// A position in a list with the newest items first: by time, then by id, both descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The item's time.
    pub at: Timestamp,
    /// The item's id, which breaks ties.
    pub id: Uuid,
}

impl Cursor {
    /// Encodes the cursor for a page token.
    pub fn encode(self) -> Vec<u8> {
        [self.id.as_bytes().as_slice(), &self.at.unix_micros().to_be_bytes()].concat()
    }

    /// Decodes a cursor; `None` if the bytes are not one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, at) = bytes.split_at_checked(16)?;
        let at = Timestamp::from_unix_micros(i64::from_be_bytes(at.try_into().ok()?))?;
        Some(Self { at, id: Uuid::from_slice(id).ok()? })
    }
}

/// The token was not made by this signer for this filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page token was not issued by this list for this filter")]
pub struct InvalidPageToken;

/// The errors of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The page token is not one of this list.
    #[error(transparent)]
    InvalidPageToken(#[from] InvalidPageToken),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

const TAG_BYTES: usize = 16;

/// Signs and verifies page tokens with HMAC-SHA-256 (RFC 2104), truncated to 128 bits.
#[derive(Clone)]
pub struct PageTokenSigner(Hmac<Sha256>);

impl PageTokenSigner {
    /// Creates a signer. All replicas of a service share the secret. A new secret invalidates the tokens that clients hold.
    pub fn new(secret: &[u8]) -> Self {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&super::Fingerprint::new("page-token").part(secret).finish());
        Self(Hmac::new(&block.into()))
    }

    /// Returns the token of a cursor in the list with this filter's fingerprint.
    pub fn sign(&self, filter: [u8; 32], cursor: &[u8]) -> String {
        let mut bytes = self.tag(filter, cursor).finalize().into_bytes()[..TAG_BYTES].to_vec();
        bytes.extend_from_slice(cursor);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Verifies a token and returns its cursor. The comparison takes constant time.
    pub fn verify(&self, filter: [u8; 32], token: &str) -> Result<Vec<u8>, InvalidPageToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidPageToken)?;
        let (tag, cursor) = bytes.split_at_checked(TAG_BYTES).ok_or(InvalidPageToken)?;
        self.tag(filter, cursor).verify_truncated_left(tag).map_err(|_| InvalidPageToken)?;
        Ok(cursor.to_vec())
    }

    /// Verifies the token of a list with the newest items first and returns its cursor; `None` for the empty token of the first
    /// page.
    pub fn cursor(&self, filter: [u8; 32], token: &str) -> Result<Option<Cursor>, InvalidPageToken> {
        if token.is_empty() {
            return Ok(None);
        }
        Cursor::decode(&self.verify(filter, token)?).map(Some).ok_or(InvalidPageToken)
    }

    /// Returns a page of a list with the newest items first: the one after a token, or the first one. `find` reads up to a number of
    /// items after a cursor, and `cursor` returns an item's position.
    pub async fn page<T, F>(
        &self,
        filter: [u8; 32],
        size: PageSize,
        token: &str,
        find: impl FnOnce(Option<Cursor>, usize) -> F,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Result<Page<T>, ListError>
    where
        F: Future<Output = Result<Vec<T>, StoreError>>,
    {
        let found = find(self.cursor(filter, token)?, size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.sign(filter, &cursor(last).encode())))
    }

    fn tag(&self, filter: [u8; 32], cursor: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&filter);
        mac.update(cursor);
        mac
    }
}

impl std::fmt::Debug for PageTokenSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokenSigner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_token_is_valid_only_unchanged_with_its_filter_and_secret(
            cursor: Vec<u8>, filter: [u8; 32], other: [u8; 32], flip: prop::sample::Index, bit in 0_u8..8,
        ) {
            let signer = PageTokenSigner::new(b"secret");
            let token = signer.sign(filter, &cursor);
            prop_assert_eq!(signer.verify(filter, &token), Ok(cursor.clone()));
            if filter != other {
                prop_assert_eq!(signer.verify(other, &token), Err(InvalidPageToken));
            }
            prop_assert_eq!(PageTokenSigner::new(b"other").verify(filter, &token), Err(InvalidPageToken));

            let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("our own encoding");
            let at = flip.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(signer.verify(filter, &URL_SAFE_NO_PAD.encode(bytes)), Err(InvalidPageToken));
        }

        #[test]
        fn a_text_that_is_no_token_is_rejected(text in ".{0,40}") {
            prop_assert_eq!(PageTokenSigner::new(b"secret").verify([0; 32], &text), Err(InvalidPageToken));
        }
    }

    #[test]
    fn a_page_size_is_bounded() {
        for (requested, given) in
            [(0, 50), (-1, 50), (i32::MIN, 50), (1, 1), (200, 200), (201, 200), (70_000, 200), (i32::MAX, 200)]
        {
            assert_eq!(PageSize::requested(requested).get(), given, "{requested}");
        }
    }

    #[test]
    fn a_surplus_item_gives_a_token_of_the_last_item() {
        let size = PageSize::requested(2);
        let cut = |items: &[u8]| Page::cut(items.to_vec(), size, u8::to_string);
        assert_eq!(cut(&[1, 2, 3]), Page { items: vec![1, 2], next: Some("2".to_owned()) });
        assert_eq!(cut(&[1, 2]), Page { items: vec![1, 2], next: None });
        assert_eq!(cut(&[]), Page { items: vec![], next: None });
    }

    #[test]
    fn a_cursor_is_read_back_from_its_token() {
        let signer = PageTokenSigner::new(b"secret");
        let at = Timestamp::from_unix_micros(-1_790_000_000_000_001).expect("in range");
        let cursor = Cursor { at, id: Uuid::from_u128(7) };
        assert_eq!(signer.cursor([1; 32], &signer.sign([1; 32], &cursor.encode())), Ok(Some(cursor)));
        assert_eq!(signer.cursor([1; 32], ""), Ok(None));
        assert_eq!(signer.cursor([2; 32], &signer.sign([1; 32], &cursor.encode())), Err(InvalidPageToken));
        assert_eq!(signer.cursor([1; 32], &signer.sign([1; 32], b"short")), Err(InvalidPageToken));
    }

    #[test]
    fn debug_output_has_no_secret() {
        assert_eq!(format!("{:?}", PageTokenSigner::new(b"secret")), "PageTokenSigner");
    }
}
