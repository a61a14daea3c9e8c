//! Calls every operation of a service with every kind of token. The contract alone decides the expected response: who is admitted,
//! and that resources of another customer appear as missing.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::contracts::{Operation, operations};
use devstack::keys::{Keys, ROLES};
use mart_proto::{DynamicMessage, ReflectMessage};
use serde_json::{Value, json};

use crate::scene::{self, Answer};
use crate::{InProcess, Plan};

/// The response to an invalid token.
const UNAUTHENTICATED: u16 = 401;
/// The response to a token of another role.
const FORBIDDEN: u16 = 403;
/// The response about a missing resource.
const NOT_FOUND: u16 = 404;
/// The id of a missing resource.
const NOTHING: &str = "00000000-0000-7000-8000-00000000abcd";

/// The result of the check.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The number of operations called.
    pub(crate) operations: usize,
    /// The number of calls.
    pub(crate) calls: usize,
    /// Responses that contradict the contract.
    pub(crate) wrong: Vec<String>,
}

/// The sender of a request.
enum Sender<'a> {
    Token(Option<&'a str>),
    User { role: &'a str, subject: &'a str },
}

/// The HTTP form of a request.
#[derive(Clone)]
struct Http {
    method: String,
    /// With the values of the path variables.
    path: String,
    query: String,
    body: Option<Value>,
}

/// Calls every operation of a service as every kind of caller.
/// Without fixtures, the requests are about missing resources, and the access of other customers is not tested.
pub(crate) async fn check(plan: &Plan) -> Checked {
    let mut checked = Checked::default();
    let invalid_tokens = invalid_tokens();
    for operation in operations().into_iter().filter(|operation| operation.service == plan.name) {
        checked.operations += 1;
        let name = &operation.name;
        // Each call uses resources that no earlier call has changed.
        let fresh = async || {
            let mut mart = (plan.mart)(0);
            let Some(fixtures) = plan.fixtures else { return (mart, about_nothing(&operation)) };
            let request = fixtures(&mut mart).await.into_iter().find(|(of, _)| of == name).map(|(_, request)| request);
            (mart, http(&operation, &request.expect("a fixture for every operation")))
        };
        let restricted = !operation.roles.is_empty();
        let let_in = |answer: &Answer| match plan.fixtures {
            // No token opens a webhook: only the provider's signature does, and no test has one.
            Some(_) if operation.webhook => answer.status >= 400 && answer.status < 500,
            Some(_) => answer.status < 300,
            None => ![UNAUTHENTICATED, FORBIDDEN].contains(&answer.status),
        };
        let (mut mart, request) = fresh().await;
        for (what, token) in &invalid_tokens {
            let status = ask(&mut mart, &Sender::Token(token.as_deref()), &request).await.status;
            checked.expect((status == UNAUTHENTICATED) == restricted && status != FORBIDDEN, || {
                format!("{name}: it returns {status} with this token: {what}")
            });
        }
        if !restricted {
            let (mut mart, request) = fresh().await;
            let answer = ask(&mut mart, &Sender::Token(None), &request).await;
            checked.expect(let_in(&answer), || {
                format!("{name}: without a token it returns {} {}", answer.status, answer.body)
            });
        }
        for role in ROLES {
            let (mut mart, request) = fresh().await;
            let answer = ask(&mut mart, &Sender::User { role, subject: plan.owner }, &request).await;
            let allowed = !restricted || operation.roles.iter().any(|allowed| allowed == role);
            let right = if allowed { let_in(&answer) } else { answer.status == FORBIDDEN };
            checked.expect(right, || format!("{name}: the owner as {role} receives {} {}", answer.status, answer.body));
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

/// Sends a request as the owner and as another customer, with one Idempotency-Key. The other customer must receive nothing that the
/// owner received, except what the request itself holds; a resource named by the path must appear as missing.
async fn another_customer(
    checked: &mut Checked,
    mart: &mut InProcess,
    owner: &str,
    operation: &Operation,
    request: &Http,
) {
    let name = &operation.name;
    let other = Sender::User { role: "customer", subject: "other" };
    let nothing = Http { path: path(operation, |_| NOTHING.to_owned()), ..request.clone() };
    let missing = ask(mart, &other, &nothing).await;
    let before = ask(mart, &other, request).await;
    let owners = ask(mart, &Sender::User { role: "customer", subject: owner }, request).await;
    let after = ask(mart, &other, request).await;
    let mut shown = BTreeSet::new();
    scene::ids(&owners.body, &mut shown);
    shown.retain(|id| !contains(request, id));
    checked.expect(owners.status < 300, || format!("{name}: the owner receives {}", owners.status));
    // If there are no ids, a response is the owner's own if it differs from the one that another customer receives.
    let by_id = !shown.is_empty();
    let own = by_id || owners.body != before.body || echoes(request, &owners.body);
    checked.expect(own || operation.path.contains('{'), || {
        format!("{name}: the owner receives nothing of their own, so that this proves nothing: extend the fixture")
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
        checked.expect(right, || format!("{name}: another customer receives {} {}", answer.status, answer.body));
    }
}

/// Returns method, path and body of a request about missing resources.
pub(crate) fn about_nothing_of(service: &str, operation: &str) -> (String, String, Option<Value>) {
    let mut all = operations().into_iter();
    let found = all.find(|found| found.service == service && found.name == operation);
    let Http { method, path, body, .. } =
        about_nothing(&found.unwrap_or_else(|| panic!("{service} has no operation {operation}")));
    (method, path, body)
}

/// Returns a request about missing resources.
fn about_nothing(operation: &Operation) -> Http {
    let body = (operation.method != "GET").then(|| Value::Object(serde_json::Map::new()));
    Http { method: operation.method.clone(), path: path(operation, |_| NOTHING.to_owned()), query: String::new(), body }
}

impl Checked {
    fn expect(&mut self, right: bool, wrong: impl FnOnce() -> String) {
        self.calls += 1;
        if !right {
            self.wrong.push(wrong());
        }
    }
}

/// Returns whether the request itself holds an id, as one that orders a product does.
fn contains(request: &Http, id: &str) -> bool {
    request.body.as_ref().is_some_and(|body| body.to_string().contains(id))
}

/// Returns whether a response holds only values of the request, and booleans.
fn echoes(request: &Http, answer: &Value) -> bool {
    match answer {
        Value::Array(all) => all.iter().all(|each| echoes(request, each)),
        Value::Object(all) => all.values().all(|each| echoes(request, each)),
        Value::Null | Value::Bool(_) => true,
        value => request.body.as_ref().is_some_and(|body| body.to_string().contains(&value.to_string())),
    }
}

/// Returns the path of an operation with these values of its variables.
fn path(operation: &Operation, value: impl Fn(&str) -> String) -> String {
    let segment = |segment: &str| {
        let variable = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        variable.map_or_else(|| segment.to_owned(), &value)
    };
    operation.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Converts a request to HTTP as its contract defines.
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

async fn ask(mart: &mut InProcess, who: &Sender<'_>, request: &Http) -> Answer {
    let path =
        if request.query.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, request.query) };
    let token = match who {
        Sender::Token(token) => token.map(str::to_owned),
        Sender::User { role, subject } => Some(scene::keys().token(role, subject).expect("signed")),
    };
    let bearer = token.map(|token| format!("Bearer {token}"));
    let bearer = bearer.iter().map(|bearer| ("authorization", bearer.as_str()));
    let headers: Vec<(&str, &str)> = bearer.chain([("idempotency-key", "one for all")]).collect();
    mart.send(None, &request.method, &path, request.body.clone(), &headers).await
}

/// Returns tokens that must not be accepted, each with its name.
fn invalid_tokens() -> Vec<(&'static str, Option<String>)> {
    let signed = |signer: &str, role: &str, change: &dyn Fn(&mut Value)| {
        let mut claims = Keys::claims(role, "a user");
        change(&mut claims);
        scene::keys().sign(signer, &claims).expect("signed")
    };
    let unsigned = |header: Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(&Keys::claims("admin", "a user")))
    };
    let hour_ago = |claims: &mut Value| {
        let then = claims["iat"].as_i64().unwrap_or_default() - 3_600;
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(then), json!(then), json!(then + 900));
    };
    let under = |kid: Option<&str>| {
        scene::keys().sign_with_kid(kid, "admin", &Keys::claims("admin", "a user")).expect("signed")
    };
    let foreign = Keys::in_folder(&scene::keys().jwks().with_file_name("foreign")).expect("keys");
    let good = scene::keys().token("admin", "a user").expect("signed");
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let claims = URL_SAFE_NO_PAD.encode(Keys::claims("admin", "another user").to_string());
    let header = head.split('.').next().unwrap_or_default();
    let jwks = std::fs::read_to_string(scene::keys().jwks()).expect("the public keys");
    let jwks: Value = serde_json::from_str(&jwks).expect("JSON");
    let public = jwks["keys"][0]["x"].as_str().unwrap_or_default().to_owned();
    let with_secret = |secret: &[u8]| {
        let header = jsonwebtoken::Header { kid: Some("admin-1".to_owned()), ..jsonwebtoken::Header::default() };
        let key = jsonwebtoken::EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&header, &Keys::claims("admin", "a user"), &key).expect("signed")
    };
    vec![
        ("no token", None),
        ("not a token", Some("nonsense".to_owned())),
        ("expired", Some(signed("admin", "admin", &hour_ago))),
        ("another audience", Some(signed("admin", "admin", &|claims| claims["aud"] = json!("another")))),
        ("another issuer", Some(signed("admin", "admin", &|claims| claims["iss"] = json!("another")))),
        ("a customer key with the role admin", Some(signed("customer", "admin", &|_| {}))),
        ("an admin key with the role customer", Some(signed("admin", "customer", &|_| {}))),
        ("not yet valid", Some(signed("admin", "admin", &|claims| claims["nbf"] = claims["exp"].clone()))),
        (
            "without expiry",
            Some(signed("admin", "admin", &|claims| drop(claims.as_object_mut().and_then(|all| all.remove("exp"))))),
        ),
        ("an unknown key", Some(under(Some("another-1")))),
        ("the key of customers", Some(under(Some("customer-1")))),
        ("no key id", Some(under(None))),
        ("a foreign key with our key id", Some(foreign.token("admin", "a user").expect("signed"))),
        ("without a signature", Some(unsigned(json!({ "alg": "EdDSA", "kid": "admin-1" })))),
        ("alg none", Some(unsigned(json!({ "alg": "none", "kid": "admin-1" })))),
        ("HS256 with the public key", Some(with_secret(&URL_SAFE_NO_PAD.decode(&public).expect("base64")))),
        ("HS256 with the public key's text", Some(with_secret(public.as_bytes()))),
        ("changed claims", Some(format!("{header}.{claims}.{signature}"))),
    ]
}
