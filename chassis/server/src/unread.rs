//! What is left of a request's body when its answer is ready.
//!
//! Whoever refuses a request early leaves its body unread, and hyper closes such a connection without announcing it: a gateway that
//! has sent the next request on it meanwhile, somebody else's, gets no answer. So the rest is read up to a bound, and
//! beyond it the answer says `Connection: close`.

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

/// Where a body goes when nobody reads it any more.
type Place = Arc<Mutex<Option<Body>>>;

/// A body that comes back.
struct Lent {
    body: Option<Body>,
    place: Place,
}

/// What may be left of it.
pub(crate) struct Unread {
    place: Place,
    /// The client sends the body only once it is asked to.
    waits: bool,
}

/// Gives a request's body away, and takes back what is left of it; `None` if there is no body.
pub(crate) fn lend(request: Request<Body>) -> (Request<Body>, Option<Unread>) {
    if request.body().is_end_stream() {
        return (request, None);
    }
    let waits = request.headers().contains_key(EXPECT);
    let place = Place::default();
    let lent = |body| Body::new(Lent { body: Some(body), place: place.clone() });
    (request.map(lent), Some(Unread { place, waits }))
}

impl Unread {
    /// Reads the rest of the body, within these bounds, or announces that the connection is closed.
    pub(crate) async fn settle(self, response: &mut Response<Body>, bytes: usize, time: Duration) {
        let left = self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
        let read = match left {
            Some(body) if body.is_end_stream() => true,
            Some(body) => {
                let small = body.size_hint().lower() <= u64::try_from(bytes).unwrap_or(u64::MAX);
                !self.waits && small && tokio::time::timeout(time, rest(body, bytes)).await == Ok(true)
            }
            // Somebody has it still, such as a proxy's connection that is sending it on.
            None => false,
        };
        if !read {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// Reads a body to its end; whether that came before the bound.
async fn rest(mut body: Body, bytes: usize) -> bool {
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

impl HttpBody for Lent {
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

impl Drop for Lent {
    fn drop(&mut self) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}
