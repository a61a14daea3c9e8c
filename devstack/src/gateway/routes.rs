//! Normalizes paths and finds their routes.

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::config::{File, Route, Service};

/// The characters that stay percent-encoded, because decoding would change their meaning.
const RESERVED: &[u8] = b"!#$%&'()*+,/:;=?@[]";

/// The characters that are percent-encoded for the service.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Returns the normal form of a path, which is used to find the route and is sent to the service: percent-encoding in capital
/// letters and only where it is needed, no empty segments and no dot segments.
pub(super) fn normal_form(path: &str) -> Vec<u8> {
    let decoded = decode(path.as_bytes());
    let mut segments: Vec<&[u8]> = Vec::new();
    // Whether the path ends in a slash depends on the last segment. A dot segment at the end leaves a slash.
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

/// Returns the normal form, percent-encoded for a request.
pub(super) fn escaped(normal: &[u8]) -> String {
    percent_encode(normal, ESCAPED).to_string()
}

/// Returns the most specific route that matches a method and a normalized path, or the first in the file of equally specific ones.
pub(super) fn find<'a>(file: &'a File, method: &str, normal: &[u8]) -> Option<(&'a Service, &'a Route)> {
    let normal = std::str::from_utf8(normal).ok()?;
    let routes = file.services.iter().flat_map(|service| service.routes.iter().map(move |route| (service, route)));
    let matches = |(_, route): &(&Service, &Route)| {
        route.methods.iter().any(|other| other == method) && route.patterns.iter().any(|path| path.is_match(normal))
    };
    routes.filter(matches).reduce(|best, next| if next.1.regex_priority > best.1.regex_priority { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::{escaped, normal_form};

    #[test]
    fn equivalent_paths_have_one_normal_form() {
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
            // An encoded slash is part of a value and stays encoded.
            ("/v1/orders/a%2fb", "/v1/orders/a%2Fb"),
            ("/v1/orders/a%252fb", "/v1/orders/a%252fb"),
            ("/v1/orders/100%", "/v1/orders/100%"),
            ("/v1/me/addresses/my%20home", "/v1/me/addresses/my%20home"),
            ("/", "/"),
            ("/.", "/"),
        ] {
            assert_eq!(escaped(&normal_form(path)), normal, "{path}");
            let again = escaped(&normal_form(normal));
            assert_eq!(again, normal, "the normal form of a normal form is itself: {path}");
        }
    }
}
