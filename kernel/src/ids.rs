//! Ids are a parameter, as time is.

use uuid::Uuid;

/// The port that makes new ids: unique for ever, and roughly ordered by the time they were made (RFC 9562, version 7).
pub trait Ids: Send + Sync {
    /// An id that was never given before.
    fn next(&self) -> Uuid;
}

/// Ids that count upwards, for tests that want to name them.
#[cfg(feature = "testing")]
#[derive(Debug, Default)]
pub struct CountingIds(std::sync::atomic::AtomicU64);

#[cfg(feature = "testing")]
impl Ids for CountingIds {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        uuid::Builder::from_unix_timestamp_millis(n, &[0; 10]).into_uuid()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn counting_ids_count_upwards_and_never_repeat() {
        let ids = CountingIds::default();
        let given: Vec<Uuid> = (0..100).map(|_| ids.next()).collect();
        assert!(given.is_sorted_by(|a, b| a < b));
        assert_ne!(given[0], Uuid::nil());
    }
}
