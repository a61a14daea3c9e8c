//! The API documents, OpenAPI and AsyncAPI: for each service, and for the whole mart.

mod asyncapi;
mod openapi;
mod schema;

use anyhow::Result;
use prost_reflect::{DescriptorPool, FileDescriptor};
use serde_json::Value;

use crate::contract::model::{Mart, Service};
use crate::contract::source::Sources;
use crate::kind::Kind;
use crate::plan::Plan;
use schema::Schemas;

/// Adds the documents of all deployable services and those of the whole mart to the plan.
pub(super) fn documents(mart: &Mart, sources: &Sources, pool: &DescriptorPool, plan: &mut Plan) -> Result<()> {
    let deployable: Vec<&Service> =
        mart.services.iter().filter(|service| service.home.as_ref().is_some_and(|home| home.is_deployable)).collect();
    let infos = schema::infos(pool, sources);
    let mut add = |path: String, source: String, document: &Value| -> Result<()> {
        plan.add(format!("docs/api/{path}"), Kind::Generated, source, serde_json::to_string_pretty(document)?);
        Ok(())
    };
    let title = |service: &str| format!("The {service} service");
    for service in &deployable {
        let one = std::slice::from_ref(service);
        let schemas = || Schemas::new(&infos);
        let source = format!("martgen {}", service.contracts);
        let document = openapi::document(&title(&service.name), one, pool, schemas());
        add(format!("{}.openapi.json", service.name), source.clone(), &document)?;
        let document = asyncapi::document(&title(&service.name), one, pool, schemas());
        add(format!("{}.asyncapi.json", service.name), source, &document)?;
    }
    if !deployable.is_empty() {
        let document = openapi::document("The mart", &deployable, pool, Schemas::new(&infos));
        add("openapi.json".to_owned(), "martgen proto".to_owned(), &document)?;
        let document = asyncapi::document("The mart", &deployable, pool, Schemas::new(&infos));
        add("asyncapi.json".to_owned(), "martgen proto".to_owned(), &document)?;
    }
    Ok(())
}

/// Returns the files of a service's contract.
fn files(pool: &DescriptorPool, service: &Service) -> Vec<FileDescriptor> {
    pool.files().filter(|file| file.package_name() == service.package).collect()
}

/// Returns the first sentence of a comment on one line, and the whole comment.
fn summary(comment: &str) -> (String, String) {
    let line = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.find(". ").unwrap_or(line.len());
    (line[..end].trim_end_matches('.').to_owned(), comment.to_owned())
}
