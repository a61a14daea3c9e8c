//! What the nginx inside Kong rejects before Kong looks for a route.

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};

use super::answer::error;

/// Returns the error response to a malformed request, or `None` if it is well-formed.
pub(super) fn rejection(request: &Request<Body>) -> Option<Response<Body>> {
    let path = request.uri().path();
    let lower_case = request.method().as_str().bytes().any(|byte| byte.is_ascii_lowercase());
    let repeated = |name| request.headers().get_all(name).iter().count() > 1;
    if lower_case
        || repeated(header::AUTHORIZATION)
        || repeated(header::HOST)
        || path.contains("%00")
        || leaves_root(path)
    {
        return Some(error(StatusCode::BAD_REQUEST, "Bad request"));
    }
    (request.method() == Method::TRACE).then(|| error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"))
}

/// Returns whether the dot segments of a path lead out of the root folder.
fn leaves_root(path: &str) -> bool {
    let mut depth = 0_i32;
    path.split('/').skip(1).any(|segment| {
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        depth < 0
    })
}

#[cfg(test)]
mod tests {
    use super::leaves_root;

    #[test]
    fn a_path_may_not_leave_the_root() {
        for (path, leaves) in [
            ("/v1/orders", false),
            ("/v1/admin/../orders", false),
            ("/v1/../v1", false),
            ("/..", true),
            ("/../../v1/x", true),
            ("/v1/%2E%2e/../x", true),
            ("//../x", true),
        ] {
            assert_eq!(leaves_root(path), leaves, "{path}");
        }
    }
}
