//! The model of the mart: what its contracts say, as templates want to hear it.

use crate::finding::Place;

/// All services, by their names.
#[derive(Debug)]
pub(crate) struct Mart {
    pub(crate) services: Vec<Service>,
}

/// A microservice.
#[derive(Debug)]
pub(crate) struct Service {
    /// Such as `product`.
    pub(crate) name: String,
    /// Its protobuf package, such as `mart.product.v1`.
    pub(crate) package: String,
    /// The module of its messages in mart-proto, such as `product::v1`.
    pub(crate) module: String,
    /// The folder of its contracts, from the top.
    pub(crate) contracts: String,
    /// Where its hand-written and generated code is; `None` where it is a contract only.
    pub(crate) home: Option<Home>,
    /// Its protobuf services.
    pub(crate) protobuf: Vec<Protobuf>,
    /// What it publishes.
    pub(crate) events: Vec<Event>,
    /// What it reacts to.
    pub(crate) consumes: Vec<Consumed>,
    /// The files that its generated code is made of: its own, and all that they lean on.
    pub(crate) files: Vec<String>,
}

/// Where the code of a service is.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The folder of the service's crate, from the top.
    pub(crate) service: String,
    /// The path of the core in Rust, such as `product_core`.
    pub(crate) core: String,
    /// The name of the service's library.
    pub(crate) library: String,
    /// Whether it is a whole service of the mart, with a container and a page, and not a test's fixture.
    pub(crate) is_deployable: bool,
    /// Whether its program has commands beside `serve` and `migrate`: they stand in `src/commands.rs`.
    pub(crate) commands: bool,
}

/// A protobuf service.
#[derive(Debug)]
pub(crate) struct Protobuf {
    /// Such as `ProductService`.
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) operations: Vec<Operation>,
}

/// An rpc.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Such as `CreateProduct`.
    pub(crate) name: String,
    /// The method's name, such as `create_product`.
    pub(crate) method: String,
    /// The type of its errors.
    pub(crate) error: String,
    pub(crate) comment: String,
    /// The request's and the answer's type within the service's module.
    pub(crate) request: String,
    pub(crate) response: String,
    /// `get`, `post` and so on.
    pub(crate) verb: &'static str,
    pub(crate) path: String,
    /// Those variables of the path that can only be UUIDs.
    pub(crate) uuids: Vec<String>,
    pub(crate) auth: Auth,
    /// How often one caller may call it.
    pub(crate) per_minute: Option<u32>,
    pub(crate) body: Body,
    pub(crate) creates: Option<Created>,
    /// The path of the answer's etag.
    pub(crate) etag: Option<String>,
    pub(crate) errors: Vec<Reason>,
    pub(crate) place: Place,
}

/// Who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    Public,
    Webhook,
    Roles(Vec<String>),
}

/// Where a request's fields come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Whole,
    Field { name: String, mask: Option<String> },
}

/// Where a new resource is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) location: String,
    pub(crate) id: String,
}

/// A reason to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// Such as `SKU_TAKEN`.
    pub(crate) code: String,
    /// Such as `SkuTaken`.
    pub(crate) variant: String,
    pub(crate) status: i32,
    /// What the problem carries.
    pub(crate) details: Option<Details>,
    pub(crate) comment: String,
}

/// What a problem carries beside its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    /// Such as `TotalChanged`.
    pub(crate) message: String,
    pub(crate) full_name: String,
}

/// An event that a service publishes.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Such as `ProductCreated`.
    pub(crate) name: String,
    /// Its type within the service's module.
    pub(crate) message: String,
    /// The name of the method that makes it.
    pub(crate) method: String,
    pub(crate) full_name: String,
    pub(crate) comment: String,
    pub(crate) topic: String,
    /// How many minutes its topic keeps it.
    pub(crate) retention_minutes: i32,
    /// The path of the field that is the key, such as `product.product_id`.
    pub(crate) key: String,
    pub(crate) place: Place,
}

/// An event that a service reacts to.
#[derive(Debug, Clone)]
pub(crate) struct Consumed {
    pub(crate) event: Event,
    pub(crate) handler: String,
    /// Such as `on_product_created`.
    pub(crate) method: String,
    /// Its module in mart-proto, such as `product::v1`.
    pub(crate) module: String,
    /// The name under which the module is imported.
    pub(crate) alias: String,
}

impl Service {
    /// All operations of all its protobuf services.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.protobuf.iter().flat_map(|protobuf| &protobuf.operations)
    }

    /// The same with the minutes that each keeps its records.
    pub(crate) fn kept(&self) -> Vec<(&str, i32)> {
        let mut topics: Vec<(&str, i32)> =
            self.events.iter().map(|event| (event.topic.as_str(), event.retention_minutes)).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// The topics that it publishes on, each once.
    pub(crate) fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = self.events.iter().map(|event| event.topic.as_str()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}
