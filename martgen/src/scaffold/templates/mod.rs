//! The scaffold files of a service, each rendered from its template.

mod filters;
mod methods;
mod sample_contract;
mod texts;

use anyhow::Result;
use askama::Template;
use serde_json::Value;

use super::{Resource, Scaffold};
use crate::contract::model::Body;
use crate::kind::Kind;
use crate::plan::Plan;

pub(crate) use sample_contract::sample_contract;

/// A folder of a service in the plan.
struct Folder<'a> {
    path: String,
    scaffold: &'a Scaffold,
    plan: &'a mut Plan,
}

impl Folder<'_> {
    /// Adds a scaffold file to the plan.
    fn add(&mut self, file: &str, template: &str, text: String) {
        let mut source = format!("template/scaffold/{template} {}", self.scaffold.contracts);
        // The source has the operations and events of the file, so that check notes it when the contract no longer has them.
        for op in self.scaffold.resources.iter().flat_map(|r| r.named().into_iter().filter(|(own, _)| *own == file)) {
            source.push_str(&format!("#{}", op.1));
        }
        self.plan.add(format!("{}/{file}", self.path), Kind::Scaffold, source, text);
    }
}

/// Adds all scaffold files of a service to a plan.
pub(crate) fn files(scaffold: &Scaffold, plan: &mut Plan) -> Result<()> {
    let name = &scaffold.name;
    core(scaffold, &mut Folder { path: format!("services/{name}/core"), scaffold, plan })?;
    service(scaffold, &mut Folder { path: format!("services/{name}/service"), scaffold, plan })?;
    features(scaffold, &mut Folder { path: format!("features/{name}"), scaffold, plan })?;
    readme(scaffold, &mut Folder { path: format!("services/{name}"), scaffold, plan })
}

fn core(scaffold: &Scaffold, folder: &mut Folder<'_>) -> Result<()> {
    folder.add("Cargo.toml", "core/Cargo.toml.txt", texts::CoreManifest { scaffold }.render()?);
    folder.add("clippy.toml", "core/clippy.toml.txt", texts::CORE_CLIPPY.to_owned());
    folder.add("src/lib.rs", "core/lib.rs.txt", texts::CoreLib { scaffold }.render()?);
    folder.add("src/domain/mod.rs", "core/domain.rs.txt", texts::Domain { scaffold }.render()?);
    folder.add("src/domain/events.rs", "core/events.rs.txt", texts::DomainEvents { scaffold }.render()?);
    folder.add("src/ports.rs", "core/ports.rs.txt", texts::Ports { scaffold }.render()?);
    folder.add("src/application/mod.rs", "core/application.rs.txt", texts::Application { scaffold }.render()?);
    folder.add("src/memory.rs", "core/memory.rs.txt", texts::Memory { scaffold }.render()?);
    for r in &scaffold.resources {
        let text = texts::OneResource { scaffold, r }.render()?;
        folder.add(&format!("src/domain/{}.rs", r.snake), "core/resource.rs.txt", text);
        use_cases(r, folder)?;
    }
    for c in &scaffold.consumes {
        let file = format!("src/application/{}.rs", c.method);
        folder.add(&file, "core/on_event.rs.txt", texts::OnEvent { c }.render()?);
    }
    if scaffold.creates() {
        folder.add("src/conformance.rs", "core/conformance.rs.txt", texts::Conformance { scaffold }.render()?);
        folder.add("tests/core.rs", "core/tests.rs.txt", texts::CoreTests { scaffold }.render()?);
    }
    Ok(())
}

fn use_cases(r: &Resource, core: &mut Folder<'_>) -> Result<()> {
    let file = |verb: &str, name: &str| format!("src/application/{verb}_{name}.rs");
    core.add(&file("create", &r.snake), "core/create.rs.txt", texts::Create { r }.render()?);
    core.add(&file("get", &r.snake), "core/get.rs.txt", texts::Get { r }.render()?);
    if r.list.is_some() {
        core.add(&file("list", &r.plural), "core/list.rs.txt", texts::List { r }.render()?);
    }
    if r.update.is_some() {
        core.add(&file("update", &r.snake), "core/update.rs.txt", texts::Update { r }.render()?);
    }
    if r.delete.is_some() {
        core.add(&file("delete", &r.snake), "core/delete.rs.txt", texts::Delete { r }.render()?);
    }
    Ok(())
}

fn service(scaffold: &Scaffold, folder: &mut Folder<'_>) -> Result<()> {
    let version = scaffold.module.rsplit("::").next().unwrap_or_default();
    let modules = scaffold.modules();
    let (dependencies, tests) = (scaffold.dependencies(), scaffold.test_dependencies());
    let text = texts::Manifest { scaffold, dependencies, tests }.render()?;
    folder.add("Cargo.toml", "service/Cargo.toml.txt", text);
    folder.add("src/lib.rs", "service/lib.rs.txt", texts::Lib { scaffold }.render()?);
    folder.add("src/settings.rs", "service/settings.rs.txt", texts::Settings { scaffold }.render()?);
    folder.add("src/wiring.rs", "service/wiring.rs.txt", texts::Wiring { scaffold }.render()?);
    folder.add("src/adapters/mod.rs", "service/adapters.rs.txt", texts::Adapters { scaffold }.render()?);
    let text = texts::Events { scaffold, version, modules: modules.clone() }.render()?;
    folder.add("src/adapters/events.rs", "service/events.rs.txt", text);
    folder.add("src/adapters/postgres.rs", "service/postgres.rs.txt", texts::Postgres { scaffold }.render()?);
    let migration = format!("migrations/0001_{}.sql", scaffold.name);
    folder.add(&migration, "service/migration.sql.txt", texts::Migration { scaffold }.render()?);
    if scaffold.serves() {
        folder.add("src/adapters/http.rs", "service/http.rs.txt", texts::Http { scaffold, version }.render()?);
    }
    folder.add("tests/service/main.rs", "service/tests_main.rs.txt", texts::TestsMain { scaffold }.render()?);
    if scaffold.creates() {
        folder.add("src/adapters/rows.rs", "service/rows.rs.txt", texts::Rows { scaffold }.render()?);
        folder.add("src/adapters/proto.rs", "service/proto.rs.txt", texts::Proto { scaffold, version }.render()?);
        folder.add("tests/service/store.rs", "service/tests_store.rs.txt", texts::TestsStore { scaffold }.render()?);
        folder.add("tests/service/http.rs", "service/tests_http.rs.txt", texts::TestsHttp { scaffold }.render()?);
    }
    if !scaffold.consumes.is_empty() {
        let text = texts::TestsEvents { scaffold, modules }.render()?;
        folder.add("tests/service/events.rs", "service/tests_events.rs.txt", text);
    }
    Ok(())
}

fn features(scaffold: &Scaffold, folder: &mut Folder<'_>) -> Result<()> {
    if scaffold.creates() {
        folder.add("life.feature", "features/feature.txt", texts::Feature { scaffold }.render()?);
    }
    if !scaffold.restricted.is_empty() {
        let text = texts::FeaturesAuthentication { scaffold }.render()?;
        folder.add("authentication.feature", "features/authentication.txt", text);
    }
    if scaffold.has_features() {
        folder.add("main.rs", "features/main.rs.txt", texts::FeaturesMain { scaffold }.render()?);
        folder.add("hosted.rs", "features/hosted.rs.txt", texts::FeaturesHosted { scaffold }.render()?);
        let text = texts::FeaturesSteps { scaffold, modules: scaffold.modules() }.render()?;
        folder.add("steps.rs", "features/steps.rs.txt", text);
    }
    if !scaffold.consumes.is_empty() {
        folder.add("events.feature", "features/events.txt", texts::FeaturesEvents { scaffold }.render()?);
    }
    Ok(())
}

fn readme(scaffold: &Scaffold, folder: &mut Folder<'_>) -> Result<()> {
    let topics = scaffold.topics.iter().map(|topic| format!("`{topic}`")).collect::<Vec<_>>().join(", ");
    let consumed = scaffold.consumes.iter().map(|consumed| consumed.event.name.clone()).collect::<Vec<_>>().join(", ");
    let text = texts::Readme { scaffold, contracts: &scaffold.contracts, topics, consumed }.render()?;
    folder.add("README.md", "README.md.txt", text);
    Ok(())
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
        body = serde_json::json!({ methods::camel_json(&create.sent): body });
    }
    let who = create.role.as_ref().map(|role| format!(" --as {role}")).unwrap_or_default();
    Some(format!("./mart call POST {} '{}'{who}", create.path, body.to_string().replace('\'', "'\\''")))
}
