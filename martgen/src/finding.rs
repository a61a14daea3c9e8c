//! Findings: an error with its place and a hint how to fix it, printed in the format of the Rust compiler.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use std::collections::BTreeMap;
use std::ops::Range;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// The file's path from the top of the tree.
    pub(crate) file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    /// The range of bytes in the file.
    #[serde(skip)]
    pub(crate) span: Range<usize>,
}

impl Place {
    /// Returns the place of a file as a whole.
    pub(crate) fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, span: 0..0 }
    }
}

/// An error in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The rule that is violated, such as `no-auth`.
    pub(crate) rule: &'static str,
    /// The description of the error.
    pub(crate) what: String,
    /// The place of the error.
    pub(crate) place: Place,
    /// The command or the edit that fixes it.
    pub(crate) help: String,
    /// The unified diff of an edited file; otherwise empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) diff: String,
}

impl Finding {
    /// Creates a finding.
    pub(crate) fn error(rule: &'static str, place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        let (what, help) = (what.into(), help.into());
        Self { rule, what, place, help, diff: String::new() }
    }

    /// Returns the finding with a diff.
    pub(crate) fn with_diff(self, diff: String) -> Self {
        Self { diff, ..self }
    }
}

/// Formats findings for people. `sources` has the texts of the places, by their paths.
pub(crate) fn render(findings: &[Finding], sources: &BTreeMap<String, String>, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut all = String::new();
    for finding in findings {
        let title = Level::ERROR.primary_title(finding.what.as_str()).id(finding.rule);
        let text = sources.get(&finding.place.file).filter(|_| finding.place.line > 0);
        let mut group = match text {
            Some(text) => Group::with_title(title).element(
                Snippet::source(text.as_str())
                    .path(finding.place.file.as_str())
                    .annotation(AnnotationKind::Primary.span(finding.place.span.clone())),
            ),
            None => Group::with_title(title).element(annotate_snippets::Origin::path(finding.place.file.as_str())),
        };
        group = group.element(Level::HELP.message(finding.help.as_str()));
        all.push_str(&renderer.render(&[group]));
        all.push('\n');
        if !finding.diff.is_empty() {
            all.push_str(&finding.diff);
        }
        all.push('\n');
    }
    all
}
