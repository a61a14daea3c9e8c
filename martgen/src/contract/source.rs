//! Reads the contracts and compiles them in memory, with their comments and places.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use miette::Diagnostic;
use prost_reflect::{DescriptorPool, FileDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver, GoogleFileResolver};

use crate::finding::{Finding, Place};
use crate::tree::Tree;

/// The contracts of a tree, by their import names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The files by their import names.
    files: Arc<BTreeMap<String, Source>>,
}

/// A contract file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The path from the top of the tree.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
}

impl Sources {
    /// Reads all contracts. `more` has files that are not written yet, by their paths.
    pub(crate) fn read(tree: &Tree, more: &BTreeMap<String, String>) -> Result<Self> {
        let mut roots = vec!["proto".to_owned()];
        roots.extend(tree.settings.fixture.iter().map(|fixture| fixture.contracts.clone()));
        let mut files = BTreeMap::new();
        for root in roots {
            let mut paths = tree.files(&root, ".proto")?;
            paths.extend(more.keys().filter(|path| path.starts_with(&format!("{root}/"))).cloned());
            for path in paths {
                let text = match more.get(&path) {
                    Some(text) => text.clone(),
                    None => tree.read(&path)?.with_context(|| format!("{path} was removed during the run"))?,
                };
                let name = path[root.len() + 1..].to_owned();
                files.insert(name, Source { path, text });
            }
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// Returns contracts from texts instead of the tree. `texts` is keyed by paths from the top; files outside the roots are
    /// ignored.
    pub(crate) fn of(roots: &[String], texts: BTreeMap<String, String>) -> Self {
        let named = |(path, text): (String, String)| {
            let root = roots.iter().find(|root| path.starts_with(&format!("{root}/")))?;
            Some((path[root.len() + 1..].to_owned(), Source { path, text }))
        };
        Self { files: Arc::new(texts.into_iter().filter_map(named).collect()) }
    }

    /// Returns a file by its import name.
    pub(crate) fn get(&self, name: &str) -> Option<&Source> {
        self.files.get(name)
    }

    /// Returns the text of a file by its path from the top.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.values().find(|source| source.path == path).map(|source| source.text.as_str())
    }

    /// Returns all texts by their paths, for findings.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.files.values().map(|source| (source.path.clone(), source.text.clone())).collect()
    }

    /// Returns the import names of the files below a package's folder.
    pub(crate) fn names(&self, package: &str) -> Vec<String> {
        let folder = format!("{package}/");
        self.files.keys().filter(|name| name.starts_with(&folder)).cloned().collect()
    }

    /// Compiles the files below a package's folder, or returns a finding with the place of the error.
    pub(crate) fn compile(&self, package: &str) -> Result<DescriptorPool, Box<Finding>> {
        let mut resolver = ChainFileResolver::new();
        resolver.add(self.clone());
        // Before the descriptor set of the validation rules: that was compiled by the installed protoc, and an old protoc's
        // descriptor.proto lacks options.
        resolver.add(GoogleFileResolver::new());
        let rules = prost_protovalidate_types::DESCRIPTOR_POOL.encode_to_vec();
        match DescriptorSetFileResolver::decode(rules.as_slice()) {
            Ok(rules) => resolver.add(rules),
            Err(error) => return Err(Box::new(internal_error(&error.to_string()))),
        }
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).include_source_info(true);
        for name in self.names(package) {
            compiler.open_file(&name).map_err(|error| Box::new(self.finding(&name, &error)))?;
        }
        // Custom options survive only if protox encodes the set and it is decoded again.
        DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())
            .map_err(|error| Box::new(internal_error(&error.to_string())))
    }

    fn finding(&self, opened: &str, error: &protox::Error) -> Finding {
        let name = error.file().unwrap_or(opened);
        let label = error.labels().and_then(|mut labels| labels.next());
        let place = match (self.get(name), label) {
            (Some(source), Some(label)) => place(source, label.offset(), label.len()),
            (Some(source), None) => Place::file(source.path.as_str()),
            (None, _) => Place::file(name),
        };
        let help = error.help().map_or_else(
            || {
                "fix the contract; the language is described at https://protobuf.dev/programming-guides/proto3"
                    .to_owned()
            },
            |help| help.to_string(),
        );
        Finding::error("protobuf", place, error.to_string(), help)
    }
}

fn internal_error(text: &str) -> Finding {
    Finding::error("protobuf", Place::file("proto"), text, "this is a bug in martgen: please report it")
}

/// Returns the place of some bytes of a source. The offset does not count a byte-order mark.
fn place(source: &Source, offset: usize, length: usize) -> Place {
    let text = source.text.as_str();
    let mut start = (offset + text.len() - plain(text).len()).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before = &text[..start];
    let line = before.matches('\n').count() + 1;
    let column = start - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    let end = text[start..].char_indices().map(|(at, c)| at + c.len_utf8()).find(|end| *end >= length);
    Place { file: source.path.clone(), line, column, span: start..start + end.unwrap_or(0) }
}

/// Returns a text without its byte-order mark.
fn plain(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.files.get(name) {
            Some(source) => File::from_source(name, plain(&source.text)),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// The comments and places of one file.
#[derive(Debug, Default)]
pub(crate) struct Info {
    at: BTreeMap<Vec<i32>, (String, Place)>,
}

impl Info {
    /// Reads the comments and places of a compiled file.
    pub(crate) fn of(file: &FileDescriptor, sources: &Sources) -> Self {
        let Some(source) = sources.get(file.name()) else { return Self::default() };
        // The compiler's positions do not count a byte-order mark.
        let shift = source.text.len() - plain(&source.text).len();
        let mut starts = vec![shift];
        starts.extend(source.text.match_indices('\n').map(|(at, _)| at + 1));
        let offset = |line: i32, column: i32| -> usize {
            let line = starts.get(usize::try_from(line).unwrap_or(0)).copied().unwrap_or(source.text.len());
            let mut at = (line + usize::try_from(column).unwrap_or(0)).min(source.text.len());
            while !source.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let info = file.file_descriptor_proto().source_code_info.as_ref();
        let locations = info.map(|info| info.location.as_slice()).unwrap_or_default();
        let one = |location: &prost_types::source_code_info::Location| {
            let (line, column, end_line, end_column) = match *location.span {
                [line, column, end] => (line, column, line, end),
                [line, column, end_line, end] => (line, column, end_line, end),
                _ => (0, 0, 0, 0),
            };
            let span = offset(line, column)..offset(end_line, end_column);
            // A span of several lines is cut after the first one.
            let end = source.text[span.clone()].find(['\n', '\r', '{']).map_or(span.end, |at| span.start + at);
            let place = Place {
                file: source.path.clone(),
                line: usize::try_from(line).unwrap_or(0) + 1,
                column: usize::try_from(column).unwrap_or(0) + 1,
                span: span.start..end.max(span.start),
            };
            let comment = location.leading_comments().replace("\r\n", "\n");
            let lines = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
            let comment = lines.collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
            (location.path.clone(), (comment, place))
        };
        Self { at: locations.iter().map(one).collect() }
    }

    /// Returns the comment of the element at a path of field numbers of descriptor.proto.
    pub(crate) fn comment(&self, path: &[i32]) -> String {
        self.at.get(path).map(|(comment, _)| comment.clone()).unwrap_or_default()
    }

    /// Returns the place of the element at a path, or that of the element around it if it has none.
    pub(crate) fn place(&self, path: &[i32], file: &str) -> Place {
        let found = (0..=path.len()).rev().find_map(|end| self.at.get(&path[..end]));
        found.map_or_else(|| Place::file(file), |(_, place)| place.clone())
    }
}
