//! The methods of a resource that templates call, and its events.

use heck::ToShoutySnakeCase;

use super::camel_json;
use crate::scaffold::{Field, Op, Resource, field};

impl Resource {
    pub(crate) fn all(&self) -> Vec<&Op> {
        [&self.create, &self.get, &self.list, &self.update, &self.delete].into_iter().flatten().collect()
    }

    /// Returns the files of operations and of events, each with the name of its operation or event in the contract.
    pub(crate) fn named(&self) -> Vec<(String, String)> {
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
    pub(crate) fn changing(&self) -> Vec<&Op> {
        [&self.update, &self.delete].into_iter().flatten().collect()
    }

    pub(crate) fn constant(&self) -> String {
        self.snake.to_shouty_snake_case()
    }

    pub(crate) fn parses(&self) -> bool {
        self.has("Money") || self.has("Timestamp")
    }

    pub(crate) fn plain_table(&self) -> String {
        field::plain_name(&self.snake)
    }

    pub(crate) fn id_json(&self) -> String {
        camel_json(&self.id)
    }

    pub(crate) fn plural_words(&self) -> String {
        self.plural.replace('_', " ")
    }

    /// Returns whether a value for tests depends on `n`.
    pub(crate) fn uses_n(&self) -> bool {
        self.fields.iter().any(|field| field.value.contains("(n)") || field.value.contains("{n}") || field.value == "n")
    }

    /// Returns a sample of the resource for `json!`.
    pub(crate) fn sample(&self, nth: usize) -> String {
        let member = |field: &Field| format!("\"{}\": {}", field.json, field.samples[nth]);
        format!("{{ {} }}", self.fields.iter().map(member).collect::<Vec<_>>().join(", "))
    }

    /// Returns the field that a test changes. It has two values, if the rules of a field allow that.
    pub(crate) fn changed(&self) -> &Field {
        self.fields.iter().find(|field| !field.fixed).unwrap_or(&self.fields[0])
    }

    pub(crate) fn change_sample(&self) -> String {
        let field = self.changed();
        format!("{{ \"{}\": {} }}", field.json, field.samples[1])
    }

    /// Returns the events that are published up to an operation, as a step of a scenario has them.
    pub(crate) fn published_until(&self, last: &str) -> String {
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

/// Returns the events that a resource publishes: `true`, and the ends of their names in the contract and in Rust.
pub(in crate::scaffold::templates) fn published(resource: &Resource) -> Vec<(bool, &'static str, &'static str)> {
    let all = [
        (resource.created, "Created", "created"),
        (resource.updated, "Updated", "updated"),
        (resource.deleted, "Deleted", "deleted"),
    ];
    all.into_iter().filter(|(published, _, _)| *published).collect()
}
