//! Helpers that in-memory stores and conformance suites share.

use std::collections::HashMap;
use std::task::Poll;

use uuid::Uuid;

use crate::{CommitOutcome, Fingerprint, Receipt, Timestamp};

/// The receipts of an in-memory store.
#[derive(Debug, Default)]
pub struct Receipts(HashMap<(String, String), Receipt>);

impl Receipts {
    /// Returns the earlier result of a request with this receipt, or `None` if the receipt is new.
    pub fn find(&self, receipt: &Receipt) -> Option<CommitOutcome> {
        let stored = self.0.get(&(receipt.scope.clone(), receipt.key.clone()))?;
        let same_request = stored.fingerprint == receipt.fingerprint;
        Some(CommitOutcome::AlreadyProcessed { subject: stored.subject.clone(), same_request })
    }

    /// Stores a receipt. Returns `false` and changes nothing if it exists.
    pub fn insert(&mut self, receipt: Receipt) -> bool {
        let new = self.find(&receipt).is_none();
        if new {
            self.0.insert((receipt.scope.clone(), receipt.key.clone()), receipt);
        }
        new
    }
}

/// Returns a second of a suite's own time.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_800_000_000_000_000 + second * 1_000_000).expect("in range")
}

/// Returns the `n`th id of a suite. Ids ascend.
pub fn uuid(n: u64) -> Uuid {
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | n)
}

/// Returns a receipt of a request with the texts of its key, its content and its subject.
pub fn receipt(key: &str, request: &str, subject: &str) -> Receipt {
    let fingerprint = Fingerprint::new(request).finish();
    Receipt { scope: "test".to_owned(), key: key.to_owned(), fingerprint, subject: subject.to_owned() }
}

/// Creates a test of each case of a conformance suite: the module of the cases, an expression that awaits a new, empty store, and
/// the names of the cases.
#[macro_export]
macro_rules! conformance_tests {
    ($suite:path; $store:expr; $($case:ident)+) => {
        use $suite as suite;
        $(
            #[tokio::test]
            async fn $case() {
                suite::$case(&$store.await).await;
            }
        )+
    };
}

/// Polls two futures in turn on one task, so that two statements run concurrently.
pub async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut done_a, mut done_b) = (None, None);
    std::future::poll_fn(|context| {
        if done_a.is_none()
            && let Poll::Ready(done) = a.as_mut().poll(context)
        {
            done_a = Some(done);
        }
        if done_b.is_none()
            && let Poll::Ready(done) = b.as_mut().poll(context)
        {
            done_b = Some(done);
        }
        if done_a.is_some() && done_b.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (done_a.expect("polled to its end"), done_b.expect("polled to its end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_stored_once_and_reports_another_request() {
        let mut receipts = Receipts::default();
        assert_eq!(receipts.find(&receipt("k", "a", "1")), None);
        assert!(receipts.insert(receipt("k", "a", "1")));
        assert!(!receipts.insert(receipt("k", "b", "2")));
        let outcome = |same_request| Some(CommitOutcome::AlreadyProcessed { subject: "1".to_owned(), same_request });
        assert_eq!(receipts.find(&receipt("k", "a", "3")), outcome(true));
        assert_eq!(receipts.find(&receipt("k", "b", "3")), outcome(false));
    }
}
