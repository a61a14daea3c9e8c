//! The texts of a service's scaffold files: each template with its parameters.

use askama::Template;

use super::filters;
use super::methods::published;
use crate::contract::model::Consumed;
use crate::scaffold::{Op, Resource, Scaffold, Served};

/// The clippy settings of a core, which are the same in all services.
pub(super) const CORE_CLIPPY: &str = include_str!("../../../../template/scaffold/core/clippy.toml.txt");

/// Declares templates whose parameter is the service.
macro_rules! of_service {
    ($($name:ident $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path, escape = "none")]
            pub(super) struct $name<'a> {
                pub(super) scaffold: &'a Scaffold,
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
            pub(super) struct $name<'a> {
                pub(super) r: &'a Resource,
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
    FeaturesHosted "scaffold/features/hosted.rs.txt";
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
pub(super) struct OneResource<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) r: &'a Resource,
}

#[derive(Template)]
#[template(path = "scaffold/core/on_event.rs.txt", escape = "none")]
pub(super) struct OnEvent<'a> {
    pub(super) c: &'a Consumed,
}

#[derive(Template)]
#[template(path = "scaffold/service/Cargo.toml.txt", escape = "none")]
pub(super) struct Manifest<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) dependencies: Vec<String>,
    pub(super) tests: Vec<String>,
}

#[derive(Template)]
#[template(path = "scaffold/service/events.rs.txt", escape = "none")]
pub(super) struct Events<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) version: &'a str,
    pub(super) modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/features/steps.rs.txt", escape = "none")]
pub(super) struct FeaturesSteps<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/service/proto.rs.txt", escape = "none")]
pub(super) struct Proto<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) version: &'a str,
}

#[derive(Template)]
#[template(path = "scaffold/service/http.rs.txt", escape = "none")]
pub(super) struct Http<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) version: &'a str,
}

#[derive(Template)]
#[template(path = "scaffold/service/tests_events.rs.txt", escape = "none")]
pub(super) struct TestsEvents<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) modules: Vec<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "scaffold/README.md.txt", escape = "none")]
pub(super) struct Readme<'a> {
    pub(super) scaffold: &'a Scaffold,
    pub(super) contracts: &'a str,
    pub(super) topics: String,
    pub(super) consumed: String,
}

/// Returns the operation if this protobuf service has it.
fn of<'a>(served: &Served, op: Option<&'a Op>) -> Option<&'a Op> {
    op.filter(|op| served.methods.contains(&op.method))
}

fn bare_method(method: &str) -> &str {
    method.strip_prefix("on_").unwrap_or(method)
}
