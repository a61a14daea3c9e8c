// Rendered by `cargo martgen generate` from chassis/tests/shelf/proto/mart/shelf/v1; changes are made there.

//! The operations of the shelf service over HTTP.

use axum::Router;

/// Returns an empty router: the service has no operations.
pub(crate) fn router() -> Router {
    Router::new()
}
