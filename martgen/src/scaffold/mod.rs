//! The scaffold files of a new service. They are written once and maintained by hand from then on.
//!
//! A resource of the contract with the standard operations (create, get, list, update, delete) is generated completely: core,
//! store, adapters, migration and tests. Nothing is generated for other operations, so that the compiler reports them.

mod field;
mod recognize;
pub(crate) mod sample;
mod templates;

use field::Field;

use crate::contract::model::{Body, Consumed};

pub(crate) use recognize::recognize;
pub(crate) use templates::{example, files, sample_contract};

/// The parameters of a service's scaffold templates.
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
    /// The contract's comment on the service.
    pub(crate) comment: String,
    /// Its protobuf services with their generated operations.
    pub(crate) protobuf: Vec<Served>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) consumes: Vec<Consumed>,
    pub(crate) topics: Vec<String>,
    /// The operations, reasons and events that have to be implemented by hand.
    pub(crate) left: Vec<String>,
    /// The operations among them that require a role.
    pub(crate) restricted: Vec<String>,
}

/// A protobuf service with its generated operations.
#[derive(Debug)]
pub(crate) struct Served {
    /// The name of its trait.
    pub(crate) name: String,
    /// The methods that are generated completely.
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
    /// Whether it has the event `…Created`.
    pub(crate) created: bool,
    /// Whether it has the event `…Updated`.
    pub(crate) updated: bool,
    /// Whether it has the event `…Deleted`.
    pub(crate) deleted: bool,
}

/// An enum of a resource, without its UNSPECIFIED value.
#[derive(Debug)]
pub(crate) struct Enum {
    /// Its name in the contract's module and in the core.
    pub(crate) name: String,
    /// The base name of the functions that convert it.
    pub(crate) function: String,
    pub(crate) comment: String,
    pub(crate) values: Vec<EnumValue>,
}

/// A value of an enum.
#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) variant: String,
    /// Its form in the database.
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
    /// A role that may call it, for tests; `None` if it is public.
    pub(crate) role: Option<String>,
    /// The reason that the scaffolds return: for a missing resource, for one that was created once and is deleted, or for a page
    /// token of another list.
    pub(crate) reason: Option<String>,
    /// The code of this reason.
    pub(crate) reason_code: String,
    /// The other reasons, which have to be implemented by hand.
    pub(crate) left: Vec<String>,
    /// The field of the request with the resource.
    pub(crate) sent: String,
    /// The field of the response with the resource; empty if there is none.
    pub(crate) answered: String,
}

impl Scaffold {
    /// Returns whether a resource can be created, updated or deleted.
    pub(crate) fn writes(&self) -> bool {
        self.resources.iter().any(Resource::writes)
    }

    /// Returns whether a resource can be listed.
    pub(crate) fn lists(&self) -> bool {
        self.resources.iter().any(|resource| resource.list.is_some())
    }

    /// Returns whether a resource can be created.
    pub(crate) fn creates(&self) -> bool {
        self.resources.iter().any(|resource| resource.create.is_some())
    }

    /// Returns whether a resource can be updated or deleted.
    pub(crate) fn changes(&self) -> bool {
        self.resources.iter().any(Resource::changes)
    }

    /// Returns whether the service publishes events.
    pub(crate) fn publishes(&self) -> bool {
        self.resources.iter().any(Resource::publishes)
    }

    /// Returns whether all resources can implement `Eq`. Those with floating-point numbers cannot.
    pub(crate) fn eq(&self) -> bool {
        self.resources.iter().all(Resource::eq)
    }

    /// Returns whether a field is money.
    pub(crate) fn money(&self) -> bool {
        self.fields().any(|field| field.is("Money"))
    }

    /// Returns whether a field is an enum.
    pub(crate) fn enums(&self) -> bool {
        self.resources.iter().any(|resource| !resource.enums.is_empty())
    }

    /// Returns whether decoding a row can find an invalid value.
    pub(crate) fn decodes(&self) -> bool {
        self.enums() || self.fields().any(|field| field.read.contains("decode_error") || field.is("Money"))
    }

    /// Returns whether a field is a point in time.
    pub(crate) fn time(&self) -> bool {
        self.fields().any(|field| field.is("Timestamp"))
    }

    /// Returns whether a field's conversion to its type in the core can fail.
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

    pub(crate) fn publishes(&self) -> bool {
        self.created || self.updated || self.deleted
    }

    pub(crate) fn eq(&self) -> bool {
        self.fields.iter().all(|field| field.eq)
    }

    /// Returns whether a field has this type in the core.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.fields.iter().any(|field| field.is(kind))
    }

    /// Returns the columns except id, version and times.
    pub(crate) fn columns(&self) -> Vec<&field::Column> {
        self.fields.iter().flat_map(|field| &field.columns).collect()
    }

    /// Returns the name of the table within a Rust string literal.
    pub(crate) fn table(&self) -> String {
        field::plain_name(&self.snake).replace('"', "\\\"")
    }

    /// Returns the name in words with its article.
    pub(crate) fn a(&self) -> String {
        let article = if self.words.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {}", self.words)
    }
}
