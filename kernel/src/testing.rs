//! Helpers that the conformance suites of several stores share.

use std::task::Poll;

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
