//! The sample contract of a new service.

use std::collections::BTreeMap;

use anyhow::Result;
use askama::Template;
use heck::{ToPascalCase, ToShoutySnakeCase};

use super::filters;

/// The parameters of the sample contract.
struct Sample<'a> {
    package: &'a str,
    name: &'a str,
    /// The events that it consumes, with the names of their handlers.
    consumes: Vec<(String, String)>,
}

/// Declares templates whose parameters are those of the sample contract.
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
