//! Reads a folder of features: scenarios, their tags, and steps that none of them uses.

use std::path::{Path, PathBuf};

use regex::Regex;

/// Returns all tags of a scenario: its own and those of its examples, rule and feature.
pub(crate) fn tags_of(feature: &gherkin::Feature, rule: Option<&gherkin::Rule>, own: &[String]) -> Vec<String> {
    feature.tags.iter().chain(rule.iter().flat_map(|rule| &rule.tags)).chain(own).cloned().collect()
}

/// Returns the tags of every scenario of a feature; an outline counts as one scenario per example.
pub(crate) fn tags(feature: &gherkin::Feature) -> Vec<Vec<String>> {
    let of_rules = feature.rules.iter().flat_map(|rule| rule.scenarios.iter().map(move |each| (Some(rule), each)));
    let mut all = Vec::new();
    for (rule, scenario) in feature.scenarios.iter().map(|scenario| (None, scenario)).chain(of_rules) {
        let own = tags_of(feature, rule, &scenario.tags);
        if scenario.examples.is_empty() {
            all.push(own.clone());
        }
        for examples in &scenario.examples {
            let rows = examples.table.as_ref().map_or(0, |table| table.rows.len() - 1);
            let tags: Vec<String> = own.iter().chain(&examples.tags).cloned().collect();
            all.extend(std::iter::repeat_n(tags, rows));
        }
    }
    all
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

/// Returns the texts of a folder's features in the order of their files; empty if there is no folder.
pub(crate) fn texts(folder: &Path) -> Vec<String> {
    let mut files = if folder.is_dir() { files(folder, "feature") } else { Vec::new() };
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).expect("readable")).collect()
}

/// Returns the features of a folder.
pub(crate) fn features(folder: &Path) -> Vec<gherkin::Feature> {
    let parse = |path| gherkin::Feature::parse_path(path, gherkin::GherkinEnv::default()).expect("a feature");
    files(folder, "feature").into_iter().map(parse).collect()
}

/// Returns the steps whose expressions match no line of any feature under their keyword.
pub(crate) fn unused_steps(folder: &Path) -> Vec<String> {
    let features = features(folder);
    let mut lines: Vec<(String, String)> = Vec::new();
    for feature in &features {
        let backgrounds =
            feature.background.iter().chain(feature.rules.iter().filter_map(|rule| rule.background.as_ref()));
        lines.extend(
            backgrounds.flat_map(|background| &background.steps).map(|step| (keyword(step), step.value.clone())),
        );
        let scenarios = feature.scenarios.iter().chain(feature.rules.iter().flat_map(|rule| &rule.scenarios));
        for scenario in scenarios {
            for step in &scenario.steps {
                lines.extend(expanded(&step.value, &scenario.examples).into_iter().map(|line| (keyword(step), line)));
            }
        }
    }
    let attribute = r##"(?s)#\[(?:cucumber::)?(given|when|then)\(\s*(regex = )?(r#"|r"|")(.+?)"#?,?\s*\)\]"##;
    let attribute = Regex::new(attribute).expect("an expression");
    let mut unused = Vec::new();
    for file in files(folder, "rs") {
        let source = std::fs::read_to_string(file).expect("readable");
        for found in attribute.captures_iter(&source).chain(shared(&source).filter_map(|text| attribute.captures(text)))
        {
            let text = &found[4];
            let expression =
                if found.get(2).is_some() { text.to_owned() } else { format!("^{}$", regex::escape(text)) };
            let step = Regex::new(&expression).expect("a step's expression");
            if !lines.iter().any(|(keyword, line)| *keyword == found[1] && step.is_match(line)) {
                unused.push(format!("{} {text}", &found[1]));
            }
        }
    }
    unused
}

/// Returns the texts of the shared steps that a file names.
fn shared(source: &str) -> impl Iterator<Item = &'static str> {
    const SHARED: &str = include_str!("steps.rs");
    let (_, named) = source.split_once("features::steps!(").unwrap_or_default();
    let named: Vec<String> =
        named.split(')').next().into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
    named.into_iter().map(|name| {
        let (_, text) = SHARED.split_once(&format!("(@ {name})")).unwrap_or_else(|| panic!("no shared step {name}"));
        text.split_once("(@ ").map_or(text, |(text, _)| text)
    })
}

/// Returns `given`, `when` or `then`; for an `And`, that of the previous step.
fn keyword(step: &gherkin::Step) -> String {
    format!("{:?}", step.ty).to_lowercase()
}

/// Returns a line of an outline with the values of each example.
fn expanded(line: &str, examples: &[gherkin::Examples]) -> Vec<String> {
    let tables = examples.iter().filter_map(|examples| examples.table.as_ref());
    let mut lines: Vec<String> = tables
        .flat_map(|table| {
            let (head, rows) = table.rows.split_first().expect("a table has a head");
            rows.iter().map(move |row| {
                head.iter()
                    .zip(row)
                    .fold(line.to_owned(), |line, (name, value)| line.replace(&format!("<{name}>"), value))
            })
        })
        .collect();
    if lines.is_empty() {
        lines.push(line.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(feature: &str, steps: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mart-reading-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("a.feature"), feature).expect("written");
        std::fs::write(folder.join("steps.rs"), steps).expect("written");
        folder
    }

    const FEATURE: &str = "@all
Feature: F
  Background:
    Given a mug
  @one
  Scenario: S
    When it falls
    Then 2 shards lie there
  Rule: R
    Scenario Outline: O
      When it <way>
      Examples:
        | way   |
        | rises |
      @late
      Examples: later
        | way   |
        | sinks |
        | swims |
";

    #[test]
    fn a_step_is_used_if_a_line_of_its_keyword_matches() {
        let steps = r##"
            #[given("a mug")]
            #[when(regex = r"^it (falls|rises)$")]
            #[when(
                regex = r"^it swims$"
            )]
            #[then(regex = r#"^(\d+) shards lie there$"#)]
            #[then(regex = r"^it falls$")]
            #[when("it drowns")]
            #[given("a")]
            features::steps!(settle);
        "##;
        let folder = folder(FEATURE, steps);
        let unused = ["then ^it falls$", "when it drowns", "given a", "when all events are processed"];
        assert_eq!(unused_steps(&folder), unused);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn every_example_inherits_the_tags_around_it() {
        let folder = folder(FEATURE, "");
        let tags: Vec<String> = features(&folder).iter().flat_map(tags).map(|tags| tags.join(" ")).collect();
        assert_eq!(tags, ["all one", "all", "all late", "all late"]);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
