//! What is written once for a new service and belongs to people from then on.
//!
//! A resource of the contract with the standard operations - create, get, list, update, delete - comes whole: core, store,
//! adapters, migration and tests. For every other operation nothing is written in its place, so that the compiler names it.

mod field;
mod recognize;
pub(crate) mod sample;
mod templates;

use field::Field;

use crate::contract::model::{Body, Consumed};

pub(crate) use recognize::recognize;
pub(crate) use templates::{example, files, sample_contract};

/// What the scaffolds of a service are filled from.
#[derive(Debug)]
pub(crate) struct Scaffold {
    /// Such as `gift_card`.
    pub(crate) name: String,
    /// Such as `GiftCard`.
    pub(crate) camel: String,
    /// The module of its messages, such as `gift_card::v1`.
    pub(crate) module: String,
    /// The folder of its contracts, from the top.
    pub(crate) contracts: String,
    /// What the contract says of the service.
    pub(crate) comment: String,
    /// The traits of its protobuf services, with what each serves.
    pub(crate) protobuf: Vec<Served>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) consumes: Vec<Consumed>,
    pub(crate) topics: Vec<String>,
    /// Operations and events that people have to write.
    pub(crate) left: Vec<String>,
    /// The operations among them that ask for a role.
    pub(crate) restricted: Vec<String>,
}

/// A protobuf service and which standard operations are its own.
#[derive(Debug)]
pub(crate) struct Served {
    /// The trait.
    pub(crate) name: String,
    /// The methods that come whole.
    pub(crate) methods: Vec<String>,
}

/// A resource with standard operations.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Such as `GiftCard`.
    pub(crate) name: String,
    /// Such as `gift_card`.
    pub(crate) snake: String,
    /// Such as `gift card`.
    pub(crate) words: String,
    /// Such as `gift_cards`.
    pub(crate) plural: String,
    /// The field with its id, such as `gift_card_id`.
    pub(crate) id: String,
    pub(crate) comment: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) create: Option<Op>,
    pub(crate) get: Option<Op>,
    pub(crate) list: Option<Op>,
    pub(crate) update: Option<Op>,
    pub(crate) delete: Option<Op>,
    pub(crate) created: bool,
    pub(crate) updated: bool,
    pub(crate) deleted: bool,
}

/// An enum of a resource, without its UNSPECIFIED.
#[derive(Debug)]
pub(crate) struct Enum {
    /// Its name in the contract's module and in the core.
    pub(crate) name: String,
    /// The functions that turn it into the contract's and back.
    pub(crate) function: String,
    pub(crate) comment: String,
    pub(crate) values: Vec<EnumValue>,
}

/// A value of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) variant: String,
    /// As it is stored.
    pub(crate) stored: String,
    pub(crate) comment: String,
}

/// A standard operation.
#[derive(Debug)]
pub(crate) struct Op {
    /// The method of the trait.
    pub(crate) method: String,
    pub(crate) request: String,
    pub(crate) response: String,
    pub(crate) error: String,
    pub(crate) verb: String,
    pub(crate) path: String,
    pub(crate) body: Body,
    /// Who may call it, for tests; `None` for everybody.
    pub(crate) role: Option<String>,
    /// The reason that the scaffolds give: for a resource that is not there, for one that was created once and deleted since, or for
    /// a page token that is not of the list.
    pub(crate) reason: Option<String>,
    /// Its code.
    pub(crate) reason_code: String,
    /// Reasons that people have to give.
    pub(crate) left: Vec<String>,
    /// The field of the request that has the resource.
    pub(crate) sent: String,
    /// The field of the answer that has it; empty where there is none.
    pub(crate) answered: String,
}

impl Scaffold {
    /// Whether anything is ever written.
    pub(crate) fn writes(&self) -> bool {
        self.resources.iter().any(Resource::writes)
    }

    /// Whether anything is listed.
    pub(crate) fn lists(&self) -> bool {
        self.resources.iter().any(|resource| resource.list.is_some())
    }

    /// Whether a new row ever has an id.
    pub(crate) fn creates(&self) -> bool {
        self.resources.iter().any(|resource| resource.create.is_some())
    }

    /// Whether an existing one is ever changed.
    pub(crate) fn changes(&self) -> bool {
        self.resources.iter().any(Resource::changes)
    }

    /// Whether it tells anything.
    pub(crate) fn tells(&self) -> bool {
        self.resources.iter().any(Resource::tells)
    }

    /// Whether all of its values are equal to themselves, as floating point numbers are not.
    pub(crate) fn eq(&self) -> bool {
        self.resources.iter().all(Resource::eq)
    }

    /// Whether a field is money.
    pub(crate) fn money(&self) -> bool {
        self.fields().any(|field| field.is("Money"))
    }

    /// Whether a field is one of an enum's values.
    pub(crate) fn enums(&self) -> bool {
        self.resources.iter().any(|resource| !resource.enums.is_empty())
    }

    /// Whether a field is a point in time.
    pub(crate) fn time(&self) -> bool {
        self.fields().any(|field| field.is("Timestamp"))
    }

    /// Whether a field may break a rule that only its type in the core knows.
    pub(crate) fn parses(&self) -> bool {
        self.money() || self.time()
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.resources.iter().flat_map(|resource| &resource.fields)
    }
}

impl Resource {
    pub(crate) fn writes(&self) -> bool {
        self.create.is_some() || self.changes()
    }

    pub(crate) fn changes(&self) -> bool {
        self.update.is_some() || self.delete.is_some()
    }

    pub(crate) fn tells(&self) -> bool {
        self.created || self.updated || self.deleted
    }

    pub(crate) fn eq(&self) -> bool {
        self.fields.iter().all(|field| field.eq)
    }

    /// Whether a field needs an import in the core.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.fields.iter().any(|field| field.is(kind))
    }

    /// The columns beside id, version and times.
    pub(crate) fn columns(&self) -> Vec<&field::Column> {
        self.fields.iter().flat_map(|field| &field.columns).collect()
    }

    /// The names of those columns, each after a comma.
    pub(crate) fn column_names(&self) -> String {
        self.columns().iter().map(|column| format!(", {}", column.sql_name)).collect()
    }

    /// The parameters of an insert: id, version, columns, times.
    pub(crate) fn parameters(&self) -> String {
        (13..13 + self.columns().len() + 4).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
    }

    /// The parameter of the last time.
    pub(crate) fn updated_at(&self) -> usize {
        self.columns().len() + 16
    }

    /// The parameter of the version that was seen.
    pub(crate) fn seen(&self) -> usize {
        self.columns().len() + 17
    }

    /// What an update sets, after the version.
    pub(crate) fn sets(&self) -> String {
        let set = |(nth, column): (usize, &&field::Column)| format!(", {} = ${}", column.sql_name, nth + 15);
        self.columns().iter().enumerate().map(set).collect()
    }

    /// The table, and its id's column.
    pub(crate) fn table(&self) -> String {
        field::sql_name(&self.snake)
    }

    /// With the article.
    pub(crate) fn a(&self) -> String {
        let article = if self.words.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {}", self.words)
    }
}
