//! The normal form of a path, and the route that it has.

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::config::{File, Route, Service};

/// What stays encoded: it would mean something else if it were not.
const RESERVED: &[u8] = b"!#$%&'()*+,/:;=?@[]";

/// What is encoded on the way to the service.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// A path as it is decided about and as the service gets it: percent-encoding only where it is needed and in capital letters,
/// no empty and no dot segments.
pub(super) fn normal_form(path: &str) -> Vec<u8> {
    let decoded = decode(path.as_bytes());
    let mut segments: Vec<&[u8]> = Vec::new();
    // The last segment says whether a slash is at the end; dot segments leave one there.
    let mut ends_in_slash = false;
    for segment in decoded.split(|byte| *byte == b'/').skip(1) {
        ends_in_slash = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut normal = Vec::with_capacity(decoded.len());
    for segment in &segments {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    if ends_in_slash || normal.is_empty() {
        normal.push(b'/');
    }
    normal
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let triplet = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match triplet.and_then(|digits| Some((digits, u8::from_str_radix(digits, 16).ok()?))) {
            Some((digits, byte)) if RESERVED.contains(&byte) => {
                decoded.push(b'%');
                decoded.extend(digits.to_ascii_uppercase().into_bytes());
                rest = &after[2..];
            }
            Some((_, byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

/// The normal form as it stands in a request.
pub(super) fn escaped(normal: &[u8]) -> String {
    percent_encode(normal, ESCAPED).to_string()
}

/// The most specific of the routes that have a method and a path in normal form, wherever it stands in the file.
pub(super) fn find<'a>(file: &'a File, method: &str, normal: &[u8]) -> Option<(&'a Service, &'a Route)> {
    let normal = String::from_utf8_lossy(normal);
    let routes = file.services.iter().flat_map(|service| service.routes.iter().map(move |route| (service, route)));
    let fits = |(_, route): &(&Service, &Route)| {
        route.methods.iter().any(|known| known == method) && route.patterns.iter().any(|known| known.is_match(&normal))
    };
    // The first of those that are as specific as each other.
    routes.filter(fits).reduce(|best, next| if next.1.regex_priority > best.1.regex_priority { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::{escaped, normal_form};

    #[test]
    fn one_path_has_one_form() {
        for (path, normal) in [
            ("/v1/orders", "/v1/orders"),
            ("/v1/./orders", "/v1/orders"),
            ("/v1//orders", "/v1/orders"),
            ("//v1///orders", "/v1/orders"),
            ("/v1/x/../orders", "/v1/orders"),
            ("/v1/x/%2e%2E/orders", "/v1/orders"),
            ("/%76%31/orders", "/v1/orders"),
            ("/../../v1/orders", "/v1/orders"),
            ("/v1/orders/", "/v1/orders/"),
            ("/v1/orders/.", "/v1/orders/"),
            ("/v1/orders/x/..", "/v1/orders/"),
            // A slash that is part of a value stays one.
            ("/v1/orders/a%2fb", "/v1/orders/a%2Fb"),
            ("/v1/orders/a%252fb", "/v1/orders/a%252fb"),
            ("/v1/orders/100%", "/v1/orders/100%"),
            ("/v1/me/addresses/my%20home", "/v1/me/addresses/my%20home"),
            ("/", "/"),
            ("/.", "/"),
        ] {
            assert_eq!(escaped(&normal_form(path)), normal, "{path}");
            let again = escaped(&normal_form(normal));
            assert_eq!(again, normal, "the form of a form is itself: {path}");
        }
    }
}
