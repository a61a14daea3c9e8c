//! The templates of generated and managed files, with their parameters.

use askama::Template;

use crate::contract::model::{Auth, Body, Home, Service};
use crate::contract::names;

#[derive(Template)]
#[template(path = "generated/mod.rs.txt", escape = "none")]
pub(super) struct Module<'a> {
    pub(super) service: &'a Service,
    pub(super) files: Vec<String>,
    pub(super) digest: String,
}

#[derive(Template)]
#[template(path = "generated/events.rs.txt", escape = "none")]
pub(super) struct Events<'a> {
    service: &'a Service,
    home: &'a Home,
    version: &'a str,
    /// The name of the core's enum of events.
    event_enum: String,
    /// The modules of other services' events and their import aliases.
    modules: Vec<(&'a str, &'a str)>,
}

impl<'a> Events<'a> {
    pub(super) fn new(service: &'a Service, home: &'a Home, version: &'a str) -> Self {
        let mut modules: Vec<(&str, &str)> =
            service.consumes.iter().map(|consumed| (consumed.module.as_str(), consumed.alias.as_str())).collect();
        modules.sort_unstable();
        modules.dedup();
        let event_enum = format!("{}Event", names::camel(&service.name));
        Self { service, home, version, event_enum, modules }
    }
}

#[derive(Template)]
#[template(path = "generated/fixtures.rs.txt", escape = "none")]
pub(super) struct Fixtures<'a> {
    pub(super) service: &'a Service,
    pub(super) version: &'a str,
}

#[derive(Template)]
#[template(path = "generated/http.rs.txt", escape = "none")]
pub(super) struct Http<'a> {
    service: &'a Service,
    version: &'a str,
    /// All traits of the service, joined.
    traits: String,
    routes: Vec<Route>,
    creates: bool,
}

/// A path with its method router.
struct Route {
    path: String,
    methods: String,
}

impl<'a> Http<'a> {
    pub(super) fn new(service: &'a Service, version: &'a str) -> Self {
        let served = service.protobuf.iter().filter(|protobuf| !protobuf.operations.is_empty());
        let traits = served.map(|protobuf| protobuf.name.as_str()).collect::<Vec<_>>().join(" + ");
        let mut paths: Vec<&str> = Vec::new();
        for operation in service.operations() {
            if !paths.contains(&operation.path.as_str()) {
                paths.push(&operation.path);
            }
        }
        let route = |path: &str| {
            let mut here: Vec<_> = service.operations().filter(|operation| operation.path == path).collect();
            here.sort_by_key(|operation| {
                ["get", "post", "put", "patch", "delete"].iter().position(|verb| *verb == operation.verb)
            });
            let methods = here.iter().map(|operation| format!("{}({}::<S>)", operation.verb, operation.method));
            Route { path: path.to_owned(), methods: format!("routing::{}", methods.collect::<Vec<_>>().join(".")) }
        };
        let routes = paths.iter().map(|path| route(path)).collect();
        let creates = service.operations().any(|operation| operation.creates.is_some());
        Self { service, version, traits, routes, creates }
    }
}

#[derive(Template)]
#[template(path = "managed/main.rs.txt", escape = "none")]
pub(super) struct Main<'a> {
    pub(super) service: &'a Service,
    pub(super) home: &'a Home,
}

#[derive(Template)]
#[template(path = "managed/Dockerfile.txt", escape = "none")]
pub(super) struct Dockerfile<'a> {
    pub(super) service: &'a Service,
}

#[derive(Template)]
#[template(path = "kong/kong.yml.txt", escape = "none")]
pub(super) struct Kong<'a> {
    pub(super) services: &'a [&'a Service],
}

#[derive(Template)]
#[template(path = "compose/service.yml.txt", escape = "none")]
pub(super) struct ComposeEntry<'a> {
    pub(super) service: &'a Service,
}

#[derive(Template)]
#[template(path = "compose/services.yml.txt", escape = "none")]
pub(super) struct Compose<'a> {
    pub(super) services: &'a [&'a Service],
}

/// Returns a path as a regular expression for Kong's router.
fn kong_path(path: &str) -> String {
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(variable) => format!("(?<{variable}>[^/]+)"),
        None => segment.replace('.', "\\."),
    };
    format!("~{}$", path.split('/').map(segment).collect::<Vec<_>>().join("/"))
}

/// Returns the priority of a path in Kong's router: literals win over variables, and earlier segments over later ones.
fn kong_priority(path: &str) -> usize {
    path.split('/').skip(1).fold(0, |sum, segment| sum * 2 + usize::from(!segment.starts_with('{')))
}

/// Returns the headers by which a gateway passes a caller's identity, in every spelling with dashes and underscores.
fn identity_headers() -> Vec<String> {
    let names = [
        "X-Consumer-Id",
        "X-Consumer-Custom-Id",
        "X-Consumer-Username",
        "X-Consumer-Groups",
        "X-Authenticated-Groups",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
    ];
    let spellings = |name: &str| {
        name.split('-').fold(Vec::new(), |before: Vec<String>, word| {
            if before.is_empty() {
                return vec![word.to_owned()];
            }
            before.iter().flat_map(|start| ["-", "_"].map(|between| format!("{start}{between}{word}"))).collect()
        })
    };
    names.into_iter().flat_map(spellings).collect()
}

fn roles(auth: &Auth) -> Vec<String> {
    match auth {
        Auth::Roles(roles) => roles.clone(),
        Auth::Public | Auth::Webhook => Vec::new(),
    }
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

/// Returns a contract's comment as a Rust doc comment. Text that rustdoc would read as links, tags or tests is escaped.
pub(crate) fn doc(comment: &str) -> String {
    let mut lines = Vec::new();
    let mut fenced = false;
    for line in comment.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            lines.push(if fenced { "```text".to_owned() } else { "```".to_owned() });
        } else if fenced {
            lines.push(line.to_owned());
        } else {
            lines.push(prose(line));
        }
    }
    if fenced {
        lines.push("```".to_owned());
    }
    lines.iter().map(|line| format!("/// {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Returns a line of prose with brackets escaped outside of `code` and addresses as links.
fn prose(line: &str) -> String {
    let closed = line.matches('`').count().is_multiple_of(2);
    let mut escaped = String::new();
    let mut code = false;
    for word in line.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        if !code && (bare.starts_with("http://") || bare.starts_with("https://")) && !bare.contains('`') {
            let address = bare.trim_end_matches(['.', ',', ';', ')']);
            escaped.push_str(&format!("<{address}>{}", &word[address.len()..]));
            continue;
        }
        for c in word.chars() {
            match c {
                '`' if closed => code = !code,
                '`' | '[' | ']' | '<' | '>' if !code => escaped.push('\\'),
                _ => {}
            }
            escaped.push(c);
        }
    }
    escaped
}

/// Returns a comment on one line, as a Rust string literal.
fn sentence(comment: &str) -> String {
    quoted(&comment.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns a text as a Rust string literal.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// Returns the name of a handler's constant.
fn handler(method: &str) -> String {
    names::constant(method.strip_prefix("on_").unwrap_or(method))
}

fn constant(name: &str) -> String {
    names::constant(name)
}

fn auth(auth: &Auth) -> String {
    match auth {
        Auth::Public => "Auth::Public".to_owned(),
        Auth::Webhook => "Auth::Webhook".to_owned(),
        Auth::Roles(roles) => {
            let roles: Vec<String> = roles.iter().map(|role| quoted(role)).collect();
            format!("Auth::Roles(&[{}])", roles.join(", "))
        }
    }
}

fn body(body: &Body) -> String {
    match body {
        Body::None => "Body::None".to_owned(),
        Body::Whole => "Body::Whole".to_owned(),
        Body::Field { name, mask } => {
            let mask = mask.as_ref().map_or_else(|| "None".to_owned(), |mask| format!("Some({})", quoted(mask)));
            format!("Body::Field {{ name: {}, mask: {mask} }}", quoted(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_doc_comments_without_rustdoc_syntax() {
        assert_eq!(
            doc("One.\n\nTwo `[a]` of [b] and Vec<u8>."),
            "/// One.\n///\n/// Two `[a]` of \\[b\\] and Vec\\<u8\\>."
        );
        assert_eq!(doc("See https://a.example/x."), "/// See <https://a.example/x>.");
        assert_eq!(doc("```\nlet [a] = 1;"), "/// ```text\n/// let [a] = 1;\n/// ```");
        assert_eq!(doc("an open ` tick"), "/// an open \\` tick");
    }

    #[test]
    fn identity_headers_have_every_spelling() {
        let names = identity_headers();
        for name in ["X-Consumer-Id", "X_Consumer_Id", "X-Consumer_Custom-Id", "X_Authenticated-Groups"] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
        assert_eq!(names.len(), 6 * 4 + 8);
    }

    #[test]
    fn kong_routes_match_one_path_and_prefer_literals() {
        assert_eq!(kong_path("/v1/orders/{order_id}/cancel"), "~/v1/orders/(?<order_id>[^/]+)/cancel$");
        assert_eq!(kong_path("/v1/a.json"), "~/v1/a\\.json$");
        assert!(kong_priority("/v1/orders/mine") > kong_priority("/v1/orders/{order_id}"));
        assert!(kong_priority("/v1/orders/{order_id}/lines") > kong_priority("/v1/{any}/x/lines"));
    }

    #[test]
    fn a_sentence_is_a_rust_string_literal() {
        assert_eq!(sentence("It \"is\"\nso */ {{ x }}."), r#""It \"is\" so */ {{ x }}.""#);
    }
}
