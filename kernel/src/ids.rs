//! Ids: a core generates them with its [`IdGenerator`] port.

use uuid::Uuid;

/// Generates ids that are never repeated and roughly ordered by time (RFC 9562, version 7).
pub trait IdGenerator: Send + Sync {
    /// Returns a new id.
    fn next(&self) -> Uuid;
}

/// Generates ascending ids, so that tests can predict them.
#[cfg(feature = "testing")]
#[derive(Debug, Default)]
pub struct SequentialIds(std::sync::atomic::AtomicU64);

#[cfg(feature = "testing")]
impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        uuid::Builder::from_unix_timestamp_millis(n, &[0; 10]).into_uuid()
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn sequential_ids_ascend_and_never_repeat() {
        let ids = SequentialIds::default();
        let given: Vec<Uuid> = (0..100).map(|_| ids.next()).collect();
        assert!(given.is_sorted_by(|a, b| a < b));
        assert_ne!(given[0], Uuid::nil());
    }
}
