//! Checks one fact about a gateway: sends its request and compares the response.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri};
use devstack::keys::Keys;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::facts::Fact;
use crate::tokens::authorization;
use crate::under_test::TestGateway;

/// Sends the request of a fact, repeated if it has `times`, and compares the last response.
pub(crate) async fn check(gateway: &TestGateway, keys: &Keys, fact: &Fact) -> Result<(), String> {
    let mut response = send(gateway, keys, fact).await?;
    for _ in 1..fact.times.unwrap_or(1) {
        if response.0 == fact.answer && fact.answer == 429 {
            break;
        }
        response = send(gateway, keys, fact).await?;
    }
    let (status, headers, bytes) = response;
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let expect = |condition: bool, failure: String| {
        if condition { Ok(()) } else { Err(format!("{failure}: {status} {json} {headers:?}")) }
    };
    expect(status == fact.answer, format!("expected {}", fact.answer))?;
    for (name, expected) in &fact.echoes {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        expect(value.is_some_and(|value| matches(value, expected)), format!("{name} is not {expected}"))?;
    }
    for name in &fact.silent {
        expect(!headers.contains_key(name), format!("unexpected {name}"))?;
    }
    if let Some(body) = &fact.body {
        let members = json.as_object().ok_or_else(|| format!("the body is not JSON: {status}"))?;
        let names = |name: &String| members.contains_key(name);
        expect(
            body.len() == members.len() && body.keys().all(names),
            format!("the members are not those of {body:?}"),
        )?;
        for (name, expected) in body {
            let value = members[name].as_str().unwrap_or_default();
            expect(matches(value, expected), format!("{name} is not {expected}"))?;
        }
    }
    if let Some(reached) = &fact.reaches {
        let parts = [("method", &reached.method), ("path", &reached.path), ("query", &reached.query)];
        for (name, expected) in parts {
            if let Some(expected) = expected {
                expect(
                    json[name] == expected.as_str(),
                    format!("the service received a {name} other than {expected}"),
                )?;
            }
        }
        for (name, expected) in &reached.headers {
            let value = json["headers"][name][0].as_str().unwrap_or_default();
            expect(matches(value, expected), format!("the service received a {name} other than {expected}"))?;
        }
        for name in &reached.without {
            expect(json["headers"][name].is_null(), format!("the service received {name}"))?;
        }
    }
    Ok(())
}

/// Returns whether a value equals the expected one. A "…" at the end of the expected value matches any non-empty rest.
fn matches(value: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => value.starts_with(start) && value.len() > start.len(),
        None => value == expected,
    }
}

async fn send(gateway: &TestGateway, keys: &Keys, fact: &Fact) -> Result<(u16, HeaderMap, Bytes), String> {
    let (method, path) = fact.request.split_once(' ').ok_or("a request is a method and a path")?;
    // hyper sends the path unchanged, while reqwest would normalize it.
    let uri: Uri = format!("{}{path}", gateway.url).parse().map_err(|error| format!("{path}: {error}"))?;
    let mut request = Request::builder().method(method.parse::<Method>().expect("a method")).uri(uri);
    if let Some(token) = fact.token.as_deref().map(|kind| authorization(keys, kind)) {
        request = request.header("authorization", token);
    }
    let mut capitals = false;
    for (name, value) in fact.headers.iter().flatten().flatten() {
        capitals |= name.chars().any(char::is_uppercase);
        request = request.header(name, value);
    }
    let bytes = vec![b' '; fact.bytes.unwrap_or(0)];
    let body = match fact.bytes {
        Some(_) if fact.chunked => Body::from_stream(futures::stream::iter(
            bytes
                .chunks(65_536)
                .map(|chunk| Ok::<_, std::convert::Infallible>(Bytes::copy_from_slice(chunk)))
                .collect::<Vec<_>>(),
        )),
        Some(_) => Body::from(bytes),
        None => Body::empty(),
    };
    let client: Client<HttpConnector, Body> =
        Client::builder(TokioExecutor::new()).http1_title_case_headers(capitals).build_http();
    let response = client.request(request.body(body).expect("a request")).await;
    let response = response.map_err(|error| format!("no response: {error:?}"))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, headers, body))
}
