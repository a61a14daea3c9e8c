//! The model of the mart: the contents of its contracts, in the form that templates need.

use crate::finding::Place;

/// All services.
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
    /// The location of its code; `None` if it has only a contract.
    pub(crate) home: Option<Home>,
    /// Its protobuf services.
    pub(crate) protobuf: Vec<Protobuf>,
    /// The events that it publishes.
    pub(crate) events: Vec<Event>,
    /// The events that it consumes.
    pub(crate) consumes: Vec<Consumed>,
    /// The contract files of its generated code: its own, those of consumed events, and all of their imports.
    pub(crate) files: Vec<String>,
}

/// The location of a service's code.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The folder of the service's crate, from the top.
    pub(crate) service: String,
    /// The path of the core in Rust, such as `product_core`.
    pub(crate) core: String,
    /// The name of the service's library.
    pub(crate) library: String,
    /// Whether it is a service with a container and API documents. A fixture of tests is not.
    pub(crate) is_deployable: bool,
    /// Whether its program has further commands beside `serve` and `migrate`, in `src/commands.rs`.
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
    /// The types of the request and the response in the service's module.
    pub(crate) request: String,
    pub(crate) response: String,
    /// The HTTP method in lower case, such as `get`.
    pub(crate) verb: &'static str,
    pub(crate) path: String,
    /// The path variables that accept only UUIDs.
    pub(crate) uuids: Vec<String>,
    pub(crate) auth: Auth,
    /// The rate limit: calls of one caller per minute.
    pub(crate) per_minute: Option<u32>,
    pub(crate) body: Body,
    pub(crate) creates: Option<Created>,
    /// The path of the etag in the response.
    pub(crate) etag: Option<String>,
    pub(crate) errors: Vec<Reason>,
    pub(crate) place: Place,
}

/// The callers that an operation accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Auth {
    Public,
    Webhook,
    Roles(Vec<String>),
}

/// The fields of a request that its HTTP body carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Whole,
    Field { name: String, mask: Option<String> },
}

/// The URL of a new resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created {
    /// The path before the id, with its last slash.
    pub(crate) location: String,
    /// The path of the id in the response.
    pub(crate) id: String,
}

/// An error that an operation returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// Such as `SKU_TAKEN`.
    pub(crate) code: String,
    /// Such as `SkuTaken`.
    pub(crate) variant: String,
    pub(crate) status: i32,
    /// The message in the problem's `details`.
    pub(crate) details: Option<Details>,
    pub(crate) comment: String,
}

/// The message in the `details` of a problem.
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
    /// Its type in the service's module.
    pub(crate) message: String,
    /// The name of the method that converts it.
    pub(crate) method: String,
    pub(crate) full_name: String,
    pub(crate) comment: String,
    pub(crate) topic: String,
    /// The retention of its topic in minutes.
    pub(crate) retention_minutes: i32,
    /// The path of the field that is the key, such as `product.product_id`.
    pub(crate) key: String,
    pub(crate) place: Place,
}

/// An event that a service consumes.
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
    /// Returns the operations of all its protobuf services.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.protobuf.iter().flat_map(|protobuf| &protobuf.operations)
    }

    /// Returns the topics that it publishes to, with their retention in minutes.
    pub(crate) fn topics_with_retention(&self) -> Vec<(&str, i32)> {
        let mut topics: Vec<(&str, i32)> =
            self.events.iter().map(|event| (event.topic.as_str(), event.retention_minutes)).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// Returns the topics that it publishes to, each once.
    pub(crate) fn topics(&self) -> Vec<&str> {
        let mut topics: Vec<&str> = self.events.iter().map(|event| event.topic.as_str()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}
