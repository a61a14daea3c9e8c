//! Renders the files from the model.

mod api;
mod templates;

use anyhow::Result;
use askama::Template;
use prost_reflect::DescriptorPool;

use crate::contract::model::{Mart, Service};
use crate::contract::source::Sources;
use crate::kind::Kind;
use crate::plan::Plan;

pub(crate) use templates::doc;

/// Renders all generated and managed files.
pub(crate) fn mart(mart: &Mart, sources: &Sources, pool: &DescriptorPool) -> Result<Plan> {
    let mut plan = Plan::default();
    for service in &mart.services {
        let Some(home) = &service.home else { continue };
        let version = service.module.rsplit("::").next().unwrap_or_default();
        let generated = format!("{}/src/generated", home.service);
        let source = |template: &str| format!("template/{template} {}", service.contracts);

        let files = service.files.iter().map(|file| relative(&generated, file)).collect();
        let digest = grouped(digest(service.files.iter().filter_map(|file| sources.text(file))));
        let text = templates::Module { service, files, digest }.render()?;
        plan.add(format!("{generated}/mod.rs"), Kind::Generated, source("generated/mod.rs.txt"), text);

        let text = templates::Events::new(service, home, version).render()?;
        plan.add(format!("{generated}/events.rs"), Kind::Generated, source("generated/events.rs.txt"), text);

        let text = templates::Http::new(service, version).render()?;
        plan.add(format!("{generated}/http.rs"), Kind::Generated, source("generated/http.rs.txt"), text);

        if service.operations().next().is_some() {
            let text = templates::Fixtures { service, version }.render()?;
            plan.add(format!("{generated}/fixtures.rs"), Kind::Generated, source("generated/fixtures.rs.txt"), text);
        }

        let text = templates::Main { service, home }.render()?;
        plan.add(format!("{}/src/main.rs", home.service), Kind::Managed, source("managed/main.rs.txt"), text);
        if home.is_deployable {
            let text = templates::Dockerfile { service }.render()?;
            plan.add(
                format!("services/{}/Dockerfile", service.name),
                Kind::Managed,
                source("managed/Dockerfile.txt"),
                text,
            );
        }
    }
    let deployable: Vec<&Service> =
        mart.services.iter().filter(|service| service.home.as_ref().is_some_and(|home| home.is_deployable)).collect();
    for service in &deployable {
        let text = templates::ComposeEntry { service }.render()?;
        let source = format!("template/compose/service.yml.txt {}", service.contracts);
        plan.add(format!("compose/services/{}.yml", service.name), Kind::Generated, source, text);
    }
    if !deployable.is_empty() {
        let text = templates::Compose { services: &deployable }.render()?;
        let source = "template/compose/services.yml.txt proto".to_owned();
        plan.add("compose/services.yml".to_owned(), Kind::Generated, source, text);
        let text = templates::Kong { services: &deployable }.render()?;
        plan.add("kong/kong.yml".to_owned(), Kind::Generated, "template/kong/kong.yml.txt proto".to_owned(), text);
    }
    api::documents(mart, sources, pool, &mut plan)?;
    Ok(plan)
}

/// Returns the path of a file relative to a folder. Both are given from the top of the tree.
fn relative(folder: &str, file: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (folder.split('/').collect(), file.split('/').collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = vec![".."; from.len() - common];
    up.into_iter().chain(to[common..].iter().copied()).collect::<Vec<_>>().join("/")
}

/// Returns the digest that mart-proto's `digest` computes when a service is compiled: FNV-1a over all texts, each ended by a zero
/// byte. Carriage returns are skipped, so that the digest does not depend on a checkout's line ends.
fn digest<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    for text in texts {
        for byte in text.bytes().filter(|byte| *byte != b'\r').chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    digest
}

/// Returns a number in hexadecimal, with an underscore after every four digits.
fn grouped(number: u64) -> String {
    let parts: Vec<String> = [48, 32, 16, 0].iter().map(|shift| format!("{:04x}", number >> shift & 0xffff)).collect();
    format!("0x{}", parts.join("_"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_digest_has_groups_of_four_digits() {
        assert_eq!(super::grouped(0x0123_4567_89ab_cdef), "0x0123_4567_89ab_cdef");
    }

    #[test]
    fn a_path_is_relative_to_a_folder() {
        let folder = "services/product/service/src/generated";
        assert_eq!(super::relative(folder, "proto/mart/x.proto"), "../../../../../proto/mart/x.proto");
        assert_eq!(super::relative("a/b/src", "a/b/proto/x.proto"), "../proto/x.proto");
    }
}
