//! The templates of scaffold files, with their parameters.

use std::collections::BTreeMap;

use anyhow::Result;
use askama::Template;
use heck::{ToPascalCase, ToShoutySnakeCase};
use serde_json::Value;

use super::{Field, Op, Resource, Scaffold, Served, field};
use crate::contract::model::Body;
use crate::contract::names;
use crate::plan::{Kind, Plan};

mod filters {
    #![allow(
        clippy::unnecessary_wraps,
        clippy::inline_always,
        clippy::unused_self,
        unreachable_pub,
        reason = "askama generates this code, and its filters return a Result"
    )]

    use askama::{Result, Values};

    /// Capitalizes the first letter.
    #[askama::filter_fn]
    pub(super) fn capital(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
        Ok(super::capital(&text.to_string()))
    }

    /// Formats a text as a Rust doc comment.
    #[askama::filter_fn]
    pub(super) fn doc(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
        Ok(crate::render::doc(&text.to_string()))
    }

    /// Formats a text as a part of an identifier.
    #[askama::filter_fn]
    pub(super) fn ident(text: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
        Ok(text.to_string().replace(' ', "_"))
    }
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// The clippy settings of a core, which are the same in all services.
const CORE_CLIPPY: &str = include_str!("../../../template/scaffold/core/clippy.toml.txt");

/// Declares templates whose parameter is the service.
macro_rules! of_service {
    ($($name:ident $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path, escape = "none")]
            struct $name<'a> {
                scaffold: &'a Scaffold,
            }
        )*
    };
}

/// Declares templates whose parameter is one resource.
macro_rules! of_resource {
    ($($name:ident $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path, escape = "none")]
            struct $name<'a> {
                r: &'a Resource,
            }
        )*
    };
}

of_service! {
    CoreManifest "scaffold/core/Cargo.toml.txt";
    CoreLib "scaffold/core/lib.rs.txt";
    Domain "scaffold/core/domain.rs.txt";
    DomainEvents "scaffold/core/events.rs.txt";
    Ports "scaffold/core/ports.rs.txt";
    Application "scaffold/core/application.rs.txt";
    Memory "scaffold/core/memory.rs.txt";
    Conformance "scaffold/core/conformance.rs.txt";
    CoreTests "scaffold/core/tests.rs.txt";
    Lib "scaffold/service/lib.rs.txt";
    Wiring "scaffold/service/wiring.rs.txt";
    Settings "scaffold/service/settings.rs.txt";
    Adapters "scaffold/service/adapters.rs.txt";
    Postgres "scaffold/service/postgres.rs.txt";
    Rows "scaffold/service/rows.rs.txt";
    Migration "scaffold/service/migration.sql.txt";
    TestsMain "scaffold/service/tests_main.rs.txt";
    TestsStore "scaffold/service/tests_store.rs.txt";
    TestsHttp "scaffold/service/tests_http.rs.txt";
    FeaturesMain "scaffold/features/main.rs.txt";
    Feature "scaffold/features/feature.txt";
    FeaturesEvents "scaffold/features/events.txt";
    FeaturesAuthentication "scaffold/features/authentication.txt";
}

of_resource! {
    Create "scaffold/core/create.rs.txt";
    Get "scaffold/core/get.rs.txt";
    List "scaffold/core/list.rs.txt";
    Update "scaffold/core/update.rs.txt";
    Delete "scaffold/core/delete.rs.txt";
}

#[derive(Template)]
#[template(path = "scaffold/core/resource.rs.txt", escape = "none")]
struct OneResource<'a> {
    scaffold: &'a Scaffold,
    r: &'a Resource,
}

#[derive(Template)]
#[template(path = "scaffold/service/Cargo.toml.txt", escape = "none")]
struct Manifest<'a> {
    scaffold: &'a Scaffold,
    dependencies: Vec<String>,
    tests: Vec<String>,
}

#[derive(Template)]
#[template(path = "scaffold/service/events.rs.txt", escape = "none")]
struct Events<'a> {
    scaffold: &'a Scaffold,
    version: &'a str,
    modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/features/steps.rs.txt", escape = "none")]
struct FeaturesSteps<'a> {
    scaffold: &'a Scaffold,
    modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/service/proto.rs.txt", escape = "none")]
struct Proto<'a> {
    scaffold: &'a Scaffold,
    version: &'a str,
}

#[derive(Template)]
#[template(path = "scaffold/service/http.rs.txt", escape = "none")]
struct Http<'a> {
    scaffold: &'a Scaffold,
    version: &'a str,
}

#[derive(Template)]
#[template(path = "scaffold/service/tests_events.rs.txt", escape = "none")]
struct TestsEvents<'a> {
    scaffold: &'a Scaffold,
    modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/README.md.txt", escape = "none")]
struct Readme<'a> {
    scaffold: &'a Scaffold,
    contracts: &'a str,
    topics: String,
    consumed: String,
}

/// Adds all scaffold files of a service to a plan.
pub(crate) fn files(scaffold: &Scaffold, plan: &mut Plan) -> Result<()> {
    let (core, service) = (format!("services/{}/core", scaffold.name), format!("services/{}/service", scaffold.name));
    let features = format!("features/{}", scaffold.name);
    let mut add = |folder: &str, file: &str, template: &str, text: String| {
        let mut source = format!("template/scaffold/{template} {}", scaffold.contracts);
        // The source has the operations and events of the file, so that check notes it when the contract no longer has them.
        for op in scaffold.resources.iter().flat_map(|r| r.named().into_iter().filter(|(own, _)| *own == file)) {
            source.push_str(&format!("#{}", op.1));
        }
        plan.add(format!("{folder}/{file}"), Kind::Scaffold, source, text);
    };
    add(&core, "Cargo.toml", "core/Cargo.toml.txt", CoreManifest { scaffold }.render()?);
    add(&core, "clippy.toml", "core/clippy.toml.txt", CORE_CLIPPY.to_owned());
    add(&core, "src/lib.rs", "core/lib.rs.txt", CoreLib { scaffold }.render()?);
    add(&core, "src/domain/mod.rs", "core/domain.rs.txt", Domain { scaffold }.render()?);
    add(&core, "src/domain/events.rs", "core/events.rs.txt", DomainEvents { scaffold }.render()?);
    add(&core, "src/ports.rs", "core/ports.rs.txt", Ports { scaffold }.render()?);
    add(&core, "src/application/mod.rs", "core/application.rs.txt", Application { scaffold }.render()?);
    add(&core, "src/memory.rs", "core/memory.rs.txt", Memory { scaffold }.render()?);
    for r in &scaffold.resources {
        let file = |verb: &str, name: &str| format!("src/application/{verb}_{name}.rs");
        add(
            &core,
            &format!("src/domain/{}.rs", r.snake),
            "core/resource.rs.txt",
            OneResource { scaffold, r }.render()?,
        );
        add(&core, &file("create", &r.snake), "core/create.rs.txt", Create { r }.render()?);
        add(&core, &file("get", &r.snake), "core/get.rs.txt", Get { r }.render()?);
        if r.list.is_some() {
            add(&core, &file("list", &r.plural), "core/list.rs.txt", List { r }.render()?);
        }
        if r.update.is_some() {
            add(&core, &file("update", &r.snake), "core/update.rs.txt", Update { r }.render()?);
        }
        if r.delete.is_some() {
            add(&core, &file("delete", &r.snake), "core/delete.rs.txt", Delete { r }.render()?);
        }
    }
    let version = scaffold.module.rsplit("::").next().unwrap_or_default();
    let modules = scaffold.modules();
    let (dependencies, tests) = (scaffold.dependencies(), scaffold.test_dependencies());
    add(&service, "Cargo.toml", "service/Cargo.toml.txt", Manifest { scaffold, dependencies, tests }.render()?);
    add(&service, "src/lib.rs", "service/lib.rs.txt", Lib { scaffold }.render()?);
    add(&service, "src/settings.rs", "service/settings.rs.txt", Settings { scaffold }.render()?);
    add(&service, "src/wiring.rs", "service/wiring.rs.txt", Wiring { scaffold }.render()?);
    add(&service, "src/adapters/mod.rs", "service/adapters.rs.txt", Adapters { scaffold }.render()?);
    let text = Events { scaffold, version, modules: modules.clone() }.render()?;
    add(&service, "src/adapters/events.rs", "service/events.rs.txt", text);
    add(&service, "src/adapters/postgres.rs", "service/postgres.rs.txt", Postgres { scaffold }.render()?);
    let migration = format!("migrations/0001_{}.sql", scaffold.name);
    add(&service, &migration, "service/migration.sql.txt", Migration { scaffold }.render()?);
    if scaffold.serves() {
        add(&service, "src/adapters/http.rs", "service/http.rs.txt", Http { scaffold, version }.render()?);
    }
    add(&service, "tests/service/main.rs", "service/tests_main.rs.txt", TestsMain { scaffold }.render()?);
    if scaffold.creates() {
        add(&service, "src/adapters/rows.rs", "service/rows.rs.txt", Rows { scaffold }.render()?);
        add(&core, "src/conformance.rs", "core/conformance.rs.txt", Conformance { scaffold }.render()?);
        add(&core, "tests/core.rs", "core/tests.rs.txt", CoreTests { scaffold }.render()?);
        add(&service, "src/adapters/proto.rs", "service/proto.rs.txt", Proto { scaffold, version }.render()?);
        add(&service, "tests/service/store.rs", "service/tests_store.rs.txt", TestsStore { scaffold }.render()?);
        add(&service, "tests/service/http.rs", "service/tests_http.rs.txt", TestsHttp { scaffold }.render()?);
        add(&features, "life.feature", "features/feature.txt", Feature { scaffold }.render()?);
    }
    if !scaffold.restricted.is_empty() {
        add(
            &features,
            "authentication.feature",
            "features/authentication.txt",
            FeaturesAuthentication { scaffold }.render()?,
        );
    }
    if scaffold.has_features() {
        add(&features, "main.rs", "features/main.rs.txt", FeaturesMain { scaffold }.render()?);
        let text = FeaturesSteps { scaffold, modules: modules.clone() }.render()?;
        add(&features, "steps.rs", "features/steps.rs.txt", text);
    }
    if !scaffold.consumes.is_empty() {
        add(&features, "events.feature", "features/events.txt", FeaturesEvents { scaffold }.render()?);
        let text = TestsEvents { scaffold, modules }.render()?;
        add(&service, "tests/service/events.rs", "service/tests_events.rs.txt", text);
    }
    let topics = scaffold.topics.iter().map(|topic| format!("`{topic}`")).collect::<Vec<_>>().join(", ");
    let consumed = scaffold.consumes.iter().map(|consumed| consumed.event.name.clone()).collect::<Vec<_>>().join(", ");
    let text = Readme { scaffold, contracts: &scaffold.contracts, topics, consumed }.render()?;
    add(&format!("services/{}", scaffold.name), "README.md", "README.md.txt", text);
    Ok(())
}

/// The parameters of the sample contract.
struct Sample<'a> {
    package: &'a str,
    name: &'a str,
    /// The events that it consumes, with the names of their handlers.
    consumes: Vec<(String, String)>,
}

macro_rules! of_sample {
    ($($name:ident $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path, escape = "none")]
            #[allow(dead_code, reason = "none of the three templates uses all parameters")]
            struct $name<'a> {
                package: &'a str,
                name: &'a str,
                names: String,
                camel: String,
                camels: String,
                words: String,
                plural: String,
                article: &'static str,
                shouty: String,
                path: String,
                open: &'static str,
                consumes: Vec<(String, String)>,
            }

            impl<'a> From<&Sample<'a>> for $name<'a> {
                fn from(sample: &Sample<'a>) -> Self {
                    let Sample { package, name, consumes } = sample;
                    let words = name.replace('_', " ");
                    let article = if words.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
                    let names = plural(name);
                    Self {
                        package,
                        name,
                        camel: name.to_pascal_case(),
                        camels: names.to_pascal_case(),
                        plural: plural(&words),
                        article,
                        shouty: name.to_shouty_snake_case(),
                        path: names.replace('_', "-"),
                        open: "{",
                        consumes: consumes.clone(),
                        words,
                        names,
                    }
                }
            }
        )*
    };
}

of_sample! {
    SampleResource "scaffold/contract/resource.proto.txt";
    SampleEvents "scaffold/contract/events.proto.txt";
    SampleService "scaffold/contract/service.proto.txt";
}

/// Returns a text that ends with exactly one line end.
fn with_line_end(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Returns the plural of an English word.
fn plural(word: &str) -> String {
    let vowel = |c: char| "aeiou".contains(c);
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(vowel) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x', 'z']) || word.ends_with("ch") || word.ends_with("sh") => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// Returns the files of the sample contract by their paths from the top, each with its template.
pub(crate) fn sample_contract(
    package: &str,
    name: &str,
    consumes: Vec<(String, String)>,
) -> Result<BTreeMap<String, (String, &'static str)>> {
    let sample = Sample { package, name, consumes };
    let folder = format!("proto/{package}/{name}/v1");
    Ok(BTreeMap::from([
        (
            format!("{folder}/{name}.proto"),
            (with_line_end(SampleResource::from(&sample).render()?), "template/scaffold/contract/resource.proto.txt"),
        ),
        (
            format!("{folder}/{name}_events.proto"),
            (with_line_end(SampleEvents::from(&sample).render()?), "template/scaffold/contract/events.proto.txt"),
        ),
        (
            format!("{folder}/{name}_service.proto"),
            (with_line_end(SampleService::from(&sample).render()?), "template/scaffold/contract/service.proto.txt"),
        ),
    ]))
}

impl Scaffold {
    /// Returns whether the service has operations, generated or not.
    fn serves(&self) -> bool {
        !self.protobuf.is_empty()
    }

    /// Returns whether the core has callers: operations or event handlers.
    fn acts(&self) -> bool {
        self.serves() || !self.consumes.is_empty()
    }

    /// Returns whether scenarios can be generated for the service.
    fn has_features(&self) -> bool {
        self.answers() || !self.consumes.is_empty()
    }

    /// Returns whether a scenario calls an operation.
    fn answers(&self) -> bool {
        self.creates() || !self.restricted.is_empty()
    }

    fn updates(&self) -> bool {
        self.resources.iter().any(|resource| resource.update.is_some())
    }

    /// Returns the modules of consumed events and their aliases, each once.
    fn modules(&self) -> Vec<(&str, &str)> {
        let mut modules: Vec<(&str, &str)> =
            self.consumes.iter().map(|consumed| (consumed.module.as_str(), consumed.alias.as_str())).collect();
        modules.sort_unstable();
        modules.dedup();
        modules
    }

    fn dependencies(&self) -> Vec<String> {
        let mut lines = vec![format!("{}-core = {{ path = \"../core\" }}", self.name)];
        let mut need = |when: bool, name: &str| {
            if when {
                lines.push(format!("{name}.workspace = true"));
            }
        };
        for name in
            ["anyhow", "axum", "clap", "include_dir", "mart-chassis", "mart-kernel", "mart-proto", "sqlx", "tokio"]
        {
            need(true, name);
        }
        need(!self.consumes.is_empty(), "tracing");
        for name in ["time", "uuid"] {
            need(self.creates(), name);
        }
        lines.sort_unstable();
        lines
    }

    fn test_dependencies(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut need = |when: bool, name: &str| {
            if when {
                lines.push(format!("{name}.workspace = true"));
            }
        };
        need(true, "devstack");
        for name in ["cucumber", "features"] {
            need(self.has_features(), name);
        }
        for name in ["reqwest", "serde_json"] {
            need(self.creates(), name);
        }
        need(!self.consumes.is_empty(), "prost");
        if self.has_features() {
            lines.push(format!("{}-core = {{ path = \"../core\", features = [\"testing\"] }}", self.name));
            lines.push("mart-kernel = { workspace = true, features = [\"testing\"] }".to_owned());
        }
        lines.sort_unstable();
        lines
    }
}

impl Resource {
    fn all(&self) -> Vec<&Op> {
        [&self.create, &self.get, &self.list, &self.update, &self.delete].into_iter().flatten().collect()
    }

    /// Returns the files of operations and of events, each with the name of its operation or event in the contract.
    fn named(&self) -> Vec<(String, String)> {
        let file = |verb: &str, name: &str| format!("src/application/{verb}_{name}.rs");
        let ops = [
            (&self.create, file("create", &self.snake)),
            (&self.get, file("get", &self.snake)),
            (&self.list, file("list", &self.plural)),
            (&self.update, file("update", &self.snake)),
            (&self.delete, file("delete", &self.snake)),
        ];
        let ops = ops.into_iter().filter_map(|(op, file)| Some((file, op.as_ref()?.method.clone())));
        let published = published(self).into_iter();
        let events =
            published.map(|(_, suffix, _)| ("src/domain/events.rs".to_owned(), format!("{}{suffix}", self.name)));
        ops.chain(events).collect()
    }

    /// Returns the operations that change an existing resource.
    fn changing(&self) -> Vec<&Op> {
        [&self.update, &self.delete].into_iter().flatten().collect()
    }

    fn constant(&self) -> String {
        self.snake.to_shouty_snake_case()
    }

    fn parses(&self) -> bool {
        self.has("Money") || self.has("Timestamp")
    }

    fn plain_table(&self) -> String {
        field::plain_name(&self.snake)
    }

    fn id_json(&self) -> String {
        camel_json(&self.id)
    }

    fn plural_words(&self) -> String {
        self.plural.replace('_', " ")
    }

    /// Returns whether a value for tests depends on `n`.
    fn uses_n(&self) -> bool {
        self.fields.iter().any(|field| field.value.contains("(n)") || field.value.contains("{n}") || field.value == "n")
    }

    /// Returns a sample of the resource for `json!`.
    fn sample(&self, nth: usize) -> String {
        let member = |field: &Field| format!("\"{}\": {}", field.json, field.samples[nth]);
        format!("{{ {} }}", self.fields.iter().map(member).collect::<Vec<_>>().join(", "))
    }

    /// Returns the field that a test changes. It has two values, if the rules of a field allow that.
    fn changed(&self) -> &Field {
        self.fields.iter().find(|field| !field.fixed).unwrap_or(&self.fields[0])
    }

    fn change_sample(&self) -> String {
        let field = self.changed();
        format!("{{ \"{}\": {} }}", field.json, field.samples[1])
    }

    /// Returns the events that are published up to an operation, as a step of a scenario has them.
    fn published_until(&self, last: &str) -> String {
        let events = [
            (self.created, "Created"),
            (self.updated && last == "Updated", "Updated"),
            (self.deleted && last == "Deleted", "Deleted"),
        ];
        let names: Vec<String> = events
            .iter()
            .filter(|(published, _)| *published)
            .map(|(_, suffix)| format!("{}{suffix}", self.name))
            .collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

impl Op {
    /// Returns the body of a request with a resource that a function of this name returns.
    fn wrapped(&self, function: &str) -> String {
        match &self.body {
            Body::Field { .. } => format!("{function}()"),
            _ => format!("json!({{ \"{}\": {function}() }})", camel_json(&self.sent)),
        }
    }

    /// Returns the body of a request with the resource in a variable of this name.
    fn wrapped_value(&self, variable: &str) -> String {
        match &self.body {
            Body::Field { .. } => variable.to_owned(),
            _ => format!("json!({{ \"{}\": {variable} }})", camel_json(&self.sent)),
        }
    }

    fn answered_json(&self) -> String {
        camel_json(&self.answered)
    }

    /// Returns the path with `{id}` as its variable.
    fn path_of(&self) -> String {
        match (self.path.find('{'), self.path.find('}')) {
            (Some(open), Some(close)) => format!("{}{{id}}{}", &self.path[..open], &self.path[close + 1..]),
            _ => self.path.clone(),
        }
    }

    fn verb_upper(&self) -> String {
        self.verb.to_uppercase()
    }

    fn role_text(&self) -> String {
        self.role.as_ref().map_or_else(|| "None".to_owned(), |role| format!("Some({role:?})"))
    }

    /// Returns the caller of the operation in a scenario: a role, or a visitor if it is public.
    fn who(&self) -> &str {
        self.role.as_deref().unwrap_or("visitor")
    }
}

/// Returns a field's name in protobuf's JSON form.
fn camel_json(name: &str) -> String {
    let mut json = String::new();
    let mut upper = false;
    for c in names::bare(name).chars() {
        if c == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            json.extend(c.to_uppercase());
        } else {
            json.push(c);
        }
    }
    json
}

/// Returns the operation if this protobuf service has it.
fn of<'a>(served: &Served, op: Option<&'a Op>) -> Option<&'a Op> {
    op.filter(|op| served.methods.contains(&op.method))
}

/// Returns the events that a resource publishes: `true`, and the ends of their names in the contract and in Rust.
fn published(resource: &Resource) -> Vec<(bool, &'static str, &'static str)> {
    let all = [
        (resource.created, "Created", "created"),
        (resource.updated, "Updated", "updated"),
        (resource.deleted, "Deleted", "deleted"),
    ];
    all.into_iter().filter(|(published, _, _)| *published).collect()
}

fn bare_method(method: &str) -> &str {
    method.strip_prefix("on_").unwrap_or(method)
}

/// Returns a command that creates a resource, for the output of `new-service`.
pub(crate) fn example(scaffold: &Scaffold) -> Option<String> {
    let resource = scaffold.resources.first()?;
    let create = resource.create.as_ref()?;
    let members = resource.fields.iter().map(|field| {
        let value: Value = serde_json::from_str(&field.samples[0]).unwrap_or_default();
        (field.json.clone(), value)
    });
    let mut body = Value::Object(members.collect());
    if create.body == Body::Whole {
        body = serde_json::json!({ camel_json(&create.sent): body });
    }
    let who = create.role.as_ref().map(|role| format!(" --as {role}")).unwrap_or_default();
    Some(format!("./mart call POST {} '{}'{who}", create.path, body.to_string().replace('\'', "'\\''")))
}
