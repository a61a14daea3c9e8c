//! What is wrong, where, and how to mend it; laid out as the Rust compiler does.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use std::collections::BTreeMap;
use std::ops::Range;

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    /// The file, from the top of the tree.
    pub(crate) file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    /// The bytes of the file.
    #[serde(skip)]
    pub(crate) span: Range<usize>,
}

impl Place {
    /// A file as a whole.
    pub(crate) fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, span: 0..0 }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Its kind, such as `missing-comment`.
    pub(crate) rule: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// Where.
    pub(crate) place: Place,
    /// The command or the edit that mends it.
    pub(crate) help: String,
    /// What differs, where it is a file's content.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) diff: String,
}

impl Finding {
    /// Something that has to be mended.
    pub(crate) fn error(rule: &'static str, place: Place, what: impl Into<String>, help: impl Into<String>) -> Self {
        let (what, help) = (what.into(), help.into());
        Self { rule, what, place, help, diff: String::new() }
    }

    /// The same with a difference to show.
    pub(crate) fn with_diff(self, diff: String) -> Self {
        Self { diff, ..self }
    }
}

/// Lays findings out for people. `sources` has the texts that places lead into.
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
