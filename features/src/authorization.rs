//! Every operation of a service under every kind of token. What is expected follows from the contract alone: who is let in,
//! and that another customer's things are as if they were not there.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::contracts::{Operation, operations};
use devstack::keys::{Keys, ROLES};
use mart_proto::{DynamicMessage, ReflectMessage};
use serde_json::{Value, json};

use crate::scene::{self, Answer};
use crate::{InProcess, Plan};

/// What an operation with roles answers to a token that proves nothing.
const UNAUTHENTICATED: u16 = 401;
/// What it answers to a token of another role.
const FORBIDDEN: u16 = 403;
/// What it answers about a thing that is not there.
const NOT_FOUND: u16 = 404;
/// An id that nothing has.
const NOTHING: &str = "00000000-0000-7000-8000-00000000abcd";

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// How many operations were asked.
    pub(crate) operations: usize,
    /// How often.
    pub(crate) asked: usize,
    /// Answers that do not follow from the contract.
    pub(crate) wrong: Vec<String>,
}

/// Who asks.
enum Asker<'a> {
    Token(Option<&'a str>),
    Person { role: &'a str, subject: &'a str },
}

/// A request in HTTP's terms.
#[derive(Clone)]
struct Http {
    method: String,
    /// With what stands in the request for its variables.
    path: String,
    query: String,
    body: Option<Value>,
}

/// Asks every operation of a service as everybody.
///
/// Without fixtures they are asked about things that are not there, and nothing is said of other customers.
pub(crate) async fn check(plan: &Plan) -> Checked {
    let mut checked = Checked::default();
    let worthless = worthless();
    for operation in operations().into_iter().filter(|operation| operation.service == plan.name) {
        checked.operations += 1;
        let name = &operation.name;
        // Each is asked about things that nobody has touched yet.
        let fresh = async || {
            let mut mart = (plan.mart)(0);
            let Some(fixtures) = plan.fixtures else { return (mart, about_nothing(&operation)) };
            let request = fixtures(&mut mart).await.into_iter().find(|(of, _)| of == name).map(|(_, request)| request);
            (mart, http(&operation, &request.expect("a fixture for every operation")))
        };
        let restricted = !operation.roles.is_empty();
        let let_in = |answer: &Answer| match plan.fixtures {
            // No token opens a webhook: only the provider's signature does, and nobody here has one.
            Some(_) if operation.webhook => answer.status >= 400 && answer.status < 500,
            Some(_) => answer.status < 300,
            None => ![UNAUTHENTICATED, FORBIDDEN].contains(&answer.status),
        };
        let (mut mart, request) = fresh().await;
        for (what, token) in &worthless {
            let status = ask(&mut mart, &Asker::Token(token.as_deref()), &request).await.status;
            checked.expect((status == UNAUTHENTICATED) == restricted && status != FORBIDDEN, || {
                format!("{name}: {what} is answered with {status}")
            });
        }
        if !restricted {
            let (mut mart, request) = fresh().await;
            let answer = ask(&mut mart, &Asker::Token(None), &request).await;
            checked.expect(let_in(&answer), || {
                format!("{name}: nobody is answered with {} {}", answer.status, answer.body)
            });
        }
        for role in ROLES {
            let (mut mart, request) = fresh().await;
            let answer = ask(&mut mart, &Asker::Person { role, subject: plan.owner }, &request).await;
            let allowed = !restricted || operation.roles.iter().any(|allowed| allowed == role);
            let right = if allowed { let_in(&answer) } else { answer.status == FORBIDDEN };
            checked.expect(right, || {
                format!("{name}: the owner as {role} is answered with {} {}", answer.status, answer.body)
            });
        }
        if plan.fixtures.is_some() && operation.roles.iter().any(|role| role == "customer") {
            let (mut mart, request) = fresh().await;
            another_customer(&mut checked, &mut mart, plan.owner, &operation, &request).await;
        }
    }
    if plan.fixtures.is_some() && checked.operations == 0 {
        checked.wrong.push(format!("there are fixtures for {}, but its contract has no operations", plan.name));
    }
    checked
}

/// Asks as the owner and then as another customer, under one Idempotency-Key. The other one is shown nothing of what the owner
/// was shown, beside what the request itself says; a thing that the path names is to him as one that is not there.
async fn another_customer(
    checked: &mut Checked,
    mart: &mut InProcess,
    owner: &str,
    operation: &Operation,
    request: &Http,
) {
    let name = &operation.name;
    let other = Asker::Person { role: "customer", subject: "other" };
    let nothing = Http { path: path(operation, |_| NOTHING.to_owned()), ..request.clone() };
    let missing = ask(mart, &other, &nothing).await;
    let before = ask(mart, &other, request).await;
    let owners = ask(mart, &Asker::Person { role: "customer", subject: owner }, request).await;
    let after = ask(mart, &other, request).await;
    let mut shown = BTreeSet::new();
    scene::ids(&owners.body, &mut shown);
    shown.retain(|id| !said(request, id));
    checked.expect(owners.status < 300, || format!("{name}: the owner is answered with {}", owners.status));
    // Where there are no ids, an answer is the owner's own if it is not the one that another gets.
    let by_id = !shown.is_empty();
    let own = by_id || owners.body != before.body || echoes(request, &owners.body);
    checked.expect(own || operation.path.contains('{'), || {
        format!("{name}: the owner is shown nothing of his own, so nothing can be kept from others: make the fixture show it")
    });
    let first = before.body.clone();
    for answer in [before, after] {
        let right = if operation.path.contains('{') {
            (missing.status, answer.status) == (NOT_FOUND, NOT_FOUND) && missing.body["code"] == answer.body["code"]
        } else {
            let body = answer.body.to_string();
            let kept = if by_id {
                !shown.iter().any(|id| body.contains(id.as_str()))
            } else {
                answer.status == NOT_FOUND || answer.body == first
            };
            (answer.status < 300 || answer.status == NOT_FOUND) && kept
        };
        checked
            .expect(right, || format!("{name}: another customer is answered with {} {}", answer.status, answer.body));
    }
}

/// Method, path and body of a request about things that are not there.
pub(crate) fn about_nothing_of(service: &str, operation: &str) -> (String, String, Option<Value>) {
    let mut all = operations().into_iter();
    let found = all.find(|found| found.service == service && found.name == operation);
    let Http { method, path, body, .. } =
        about_nothing(&found.unwrap_or_else(|| panic!("{service} has no operation {operation}")));
    (method, path, body)
}

/// A request about things that are not there.
fn about_nothing(operation: &Operation) -> Http {
    let body = (operation.method != "GET").then(|| Value::Object(serde_json::Map::new()));
    Http { method: operation.method.clone(), path: path(operation, |_| NOTHING.to_owned()), query: String::new(), body }
}

impl Checked {
    fn expect(&mut self, right: bool, wrong: impl FnOnce() -> String) {
        self.asked += 1;
        if !right {
            self.wrong.push(wrong());
        }
    }
}

/// Whether a request itself says an id, as one that orders a product does.
fn said(request: &Http, id: &str) -> bool {
    request.body.as_ref().is_some_and(|body| body.to_string().contains(id))
}

/// Whether an answer says nothing but what the request said, and whether something is so.
fn echoes(request: &Http, answer: &Value) -> bool {
    match answer {
        Value::Array(all) => all.iter().all(|each| echoes(request, each)),
        Value::Object(all) => all.values().all(|each| echoes(request, each)),
        Value::Null | Value::Bool(_) => true,
        value => request.body.as_ref().is_some_and(|body| body.to_string().contains(&value.to_string())),
    }
}

/// The path of an operation, with these values of its variables.
fn path(operation: &Operation, value: impl Fn(&str) -> String) -> String {
    let segment = |segment: &str| {
        let variable = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        variable.map_or_else(|| segment.to_owned(), &value)
    };
    operation.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A request as its contract puts it into HTTP.
fn http(operation: &Operation, request: &DynamicMessage) -> Http {
    let path = path(operation, |variable| mart_proto::text(request, variable).unwrap_or_default());
    let mut members: Value = serde_json::to_value(request).expect("JSON");
    let members = members.as_object_mut().expect("an object");
    let descriptor = request.descriptor();
    let json_name = |field: &str| descriptor.get_field_by_name(field).map(|field| field.json_name().to_owned());
    let variables = operation.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    for variable in variables.filter_map(json_name) {
        members.remove(&variable);
    }
    let body = match operation.body.as_str() {
        "" => None,
        "*" => Some(Value::Object(std::mem::take(members))),
        field => json_name(field).and_then(|field| members.remove(&field)),
    };
    let pairs = members.iter().flat_map(|(name, value)| match value {
        Value::Array(all) => all.iter().map(|each| pair(name, each)).collect(),
        each => vec![pair(name, each)],
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Http { method: operation.method.clone(), path, query, body }
}

fn pair(name: &str, value: &Value) -> String {
    format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

async fn ask(mart: &mut InProcess, who: &Asker<'_>, request: &Http) -> Answer {
    let path =
        if request.query.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, request.query) };
    let token = match who {
        Asker::Token(token) => token.map(str::to_owned),
        Asker::Person { role, subject } => Some(scene::keys().token(role, subject).expect("signed")),
    };
    let bearer = token.map(|token| format!("Bearer {token}"));
    let bearer = bearer.iter().map(|bearer| ("authorization", bearer.as_str()));
    let headers: Vec<(&str, &str)> = bearer.chain([("idempotency-key", "one for all")]).collect();
    mart.send(None, &request.method, &path, request.body.clone(), &headers).await
}

/// Tokens that nobody may be let in with, each with its name.
fn worthless() -> Vec<(&'static str, Option<String>)> {
    let signed = |signer: &str, role: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = Keys::claims(role, "somebody");
        change(&mut claims);
        scene::keys().sign(signer, &claims).expect("signed")
    };
    let unsigned = |header: Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(&Keys::claims("admin", "somebody")))
    };
    let hour_ago = |claims: &mut Value| {
        let then = claims["iat"].as_i64().unwrap_or_default() - 3_600;
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(then), json!(then), json!(then + 900));
    };
    let under =
        |kid: Option<&str>| scene::keys().sign_under(kid, "admin", &Keys::claims("admin", "somebody")).expect("signed");
    let foreign = Keys::in_folder(&scene::keys().jwks().with_file_name("foreign")).expect("keys");
    let good = scene::keys().token("admin", "somebody").expect("signed");
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let claims = URL_SAFE_NO_PAD.encode(Keys::claims("admin", "somebody else").to_string());
    let header = head.split('.').next().unwrap_or_default();
    let jwks = std::fs::read_to_string(scene::keys().jwks()).expect("the public keys");
    let jwks: Value = serde_json::from_str(&jwks).expect("JSON");
    let public = jwks["keys"][0]["x"].as_str().unwrap_or_default().to_owned();
    let with_secret = |secret: &[u8]| {
        let header = jsonwebtoken::Header { kid: Some("admin-1".to_owned()), ..jsonwebtoken::Header::default() };
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&header, &Keys::claims("admin", "somebody"), &key).expect("signed")
    };
    vec![
        ("no token", None),
        ("no token at all", Some("nonsense".to_owned())),
        ("expired", Some(signed("admin", "admin", &hour_ago))),
        ("of another audience", Some(signed("admin", "admin", &|claims| claims["aud"] = json!("another")))),
        ("of another issuer", Some(signed("admin", "admin", &|claims| claims["iss"] = json!("another")))),
        ("a customer's key that claims admin", Some(signed("customer", "admin", &|_| {}))),
        ("an admin's key that claims customer", Some(signed("admin", "customer", &|_| {}))),
        ("not yet good", Some(signed("admin", "admin", &|claims| claims["nbf"] = claims["exp"].clone()))),
        (
            "good for ever",
            Some(signed("admin", "admin", &|claims| drop(claims.as_object_mut().and_then(|all| all.remove("exp"))))),
        ),
        ("under a key that nobody knows", Some(under(Some("another-1")))),
        ("under the key of customers", Some(under(Some("customer-1")))),
        ("under no key", Some(under(None))),
        ("by a foreign key under the name of ours", Some(foreign.token("admin", "somebody").expect("signed"))),
        ("without a signature", Some(unsigned(json!({ "alg": "EdDSA", "kid": "admin-1" })))),
        ("alg none", Some(unsigned(json!({ "alg": "none", "kid": "admin-1" })))),
        ("HS256 with the public key", Some(with_secret(&URL_SAFE_NO_PAD.decode(&public).expect("base64")))),
        ("HS256 with the public key's text", Some(with_secret(public.as_bytes()))),
        ("with another's claims under its signature", Some(format!("{header}.{claims}.{signature}"))),
    ]
}
