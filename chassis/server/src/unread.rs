//! Drains the rest of a request's body when its response is ready.
//!
//! A handler that rejects a request early leaves its body unread. hyper closes such a connection without announcing it, so another
//! client's request that a gateway has already sent on the connection gets no response. Therefore the rest is read up to a limit;
//! beyond it the response has `Connection: close`.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{Request, Response};

/// Receives a body when it is dropped.
type Slot = Arc<Mutex<Option<Body>>>;

/// A body that is put into its slot when it is dropped.
struct TrackedBody {
    body: Option<Body>,
    slot: Slot,
}

/// The unread rest of a body.
pub(crate) struct Unread {
    slot: Slot,
    /// Whether the client sends the body only after `100 Continue`.
    expects_continue: bool,
}

/// Tracks a request's body, so that its unread rest is available later. `None` if there is no body.
pub(crate) fn track(request: Request<Body>) -> (Request<Body>, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let expects_continue = request.headers().contains_key(EXPECT);
    let slot = Slot::default();
    let tracked = |body| Body::new(TrackedBody { body: Some(body), slot: slot.clone() });
    (request.map(tracked), Some(Unread { slot, expects_continue }))
}

impl Unread {
    /// Reads the rest of the body within these limits, or announces that the connection is closed.
    pub(crate) async fn drain_or_close(self, response: &mut Response<Body>, bytes: usize, time: Duration) {
        let rest = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let drained = match rest {
            Some(body) if body.is_end_stream() => true,
            Some(body) => {
                let is_small = body.size_hint().lower() <= u64::try_from(bytes).unwrap_or(u64::MAX);
                !self.expects_continue && is_small && tokio::time::timeout(time, drain(body, bytes)).await == Ok(true)
            }
            // The body is still in use, for example by a proxy that forwards it.
            None => false,
        };
        if !drained {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a body. Returns whether its end came within `bytes`.
async fn drain(mut body: Body, bytes: usize) -> bool {
    let mut left = bytes;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.body.as_mut() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}
