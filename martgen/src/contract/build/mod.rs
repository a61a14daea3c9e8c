//! Builds the model from compiled contracts, and reports everything that prevents them from being served.

mod lint;
mod operation;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumValueDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    ServiceDescriptor, Value,
};

use crate::contract::model::{Consumed, Details, Event, Home, Mart, Protobuf, Reason, Service};
use crate::contract::names;
use crate::contract::source::{Info, Sources};
use crate::finding::{Finding, Place};
use crate::tree::Tree;

/// Builds the model. Returns the findings of all contracts with it.
pub(crate) fn model(tree: &Tree, sources: &Sources, pool: &DescriptorPool) -> (Mart, Vec<Finding>) {
    let mut builder = Builder { tree, sources, pool, infos: HashMap::new(), findings: Vec::new() };
    let mart = builder.mart();
    builder.findings.sort_by(|a, b| (&a.place.file, a.place.line, a.rule).cmp(&(&b.place.file, b.place.line, b.rule)));
    (mart, builder.findings)
}

struct Builder<'a> {
    tree: &'a Tree,
    sources: &'a Sources,
    pool: &'a DescriptorPool,
    infos: HashMap<String, Info>,
    findings: Vec<Finding>,
}

impl Builder<'_> {
    fn mart(&mut self) -> Mart {
        let prefix = format!("{}.", self.tree.settings.package);
        let mut packages: BTreeMap<String, Vec<FileDescriptor>> = BTreeMap::new();
        for file in self.pool.files().filter(|file| file.package_name().starts_with(&prefix)) {
            packages.entry(file.package_name().to_owned()).or_default().push(file);
        }
        for files in packages.values() {
            for file in files {
                self.infos.insert(file.name().to_owned(), Info::of(file, self.sources));
            }
        }
        let mut events: BTreeMap<String, (String, Event)> = BTreeMap::new();
        let mut services = Vec::new();
        for (package, files) in &packages {
            self.comments(files);
            let published = self.events(files);
            events.extend(published.iter().map(|event| (event.full_name.clone(), (package.clone(), event.clone()))));
            if published.is_empty() && files.iter().all(|file| file.services().len() == 0) {
                continue;
            }
            let service = self.service(package, files, published);
            services.push(service);
        }
        for service in &mut services {
            self.consumes(service, &packages[&service.package], &events);
        }
        self.across(&services);
        Mart { services }
    }

    fn service(&mut self, package: &str, files: &[FileDescriptor], events: Vec<Event>) -> Service {
        let name = package.split('.').nth(1).unwrap_or(package).to_owned();
        let reasons = self.reasons(package, files);
        let mut protobuf = Vec::new();
        for file in files {
            for descriptor in file.services() {
                protobuf.push(self.protobuf(&descriptor, &reasons));
            }
        }
        let first = files.first().and_then(|file| self.sources.get(file.name()));
        let contracts = first.and_then(|source| source.path.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
        let service = Service {
            module: names::module(package),
            contracts: contracts.unwrap_or_default(),
            home: self.home(&name),
            package: package.to_owned(),
            protobuf,
            events,
            consumes: Vec::new(),
            files: Vec::new(),
            name,
        };
        self.unique(&service);
        service
    }

    fn home(&self, name: &str) -> Option<Home> {
        let library = format!("{name}_service");
        if let Some(fixture) = self.tree.settings.fixture.iter().find(|fixture| fixture.service == name) {
            let (service, core) = (fixture.folder.clone(), fixture.core.clone());
            return Some(Home { service, core, library, is_deployable: false, commands: false });
        }
        let service = format!("services/{name}/service");
        let exists = self.tree.path(&format!("services/{name}")).is_dir();
        let commands = self.tree.path(&format!("{service}/src/commands.rs")).is_file();
        exists.then(|| Home { service, core: format!("{name}_core"), library, is_deployable: true, commands })
    }

    fn protobuf(&mut self, descriptor: &ServiceDescriptor, reasons: &BTreeMap<String, Reason>) -> Protobuf {
        let path = descriptor.path();
        let comment = self.comment(&descriptor.parent_file(), path);
        if !descriptor.name().ends_with("Service") {
            let place = self.place(&descriptor.parent_file(), path);
            let help = format!("name it {}Service, so that its trait in Rust has a clear name", descriptor.name());
            self.error(
                "service-name",
                &place,
                format!("the service `{}` does not end with `Service`", descriptor.name()),
                help,
            );
        }
        let operations = descriptor.methods().map(|method| self.operation(&method, reasons)).collect();
        Protobuf { name: names::camel(descriptor.name()), comment, operations }
    }

    fn reasons(&mut self, package: &str, files: &[FileDescriptor]) -> BTreeMap<String, Reason> {
        let mut reasons = BTreeMap::new();
        let Some(descriptor) = self.pool.get_enum_by_name(&format!("{package}.Reason")) else { return reasons };
        let Some(file) = files.iter().find(|file| file.name() == descriptor.parent_file().name()) else {
            return reasons;
        };
        for value in descriptor.values().filter(|value| value.number() != 0) {
            let at = value.path();
            let place = self.place(file, at);
            let code = value.name().strip_prefix("REASON_").unwrap_or(value.name()).to_owned();
            let extension = format!("{}.options.v1.status", self.tree.settings.package);
            let status = self.number(&value.options(), &extension);
            if !(400..600).contains(&status) {
                let help = "add the HTTP status of the reason, such as [(mart.options.v1.status) = 409]";
                self.error("status", &place, format!("the reason `{code}` has no status between 400 and 599"), help);
            }
            let variant = names::variant("Reason", value.name());
            if variant == "ApiError" {
                self.error("reserved", &place, "a reason can't be named `API_ERROR`", "name the cause of the error");
            }
            let comment = self.comment(file, at);
            let details = self.details(package, &value, &code, &place);
            reasons.insert(code.clone(), Reason { code, variant, status, details, comment });
        }
        reasons
    }

    /// Returns the message that the problem of a reason carries.
    fn details(&mut self, package: &str, value: &EnumValueDescriptor, code: &str, place: &Place) -> Option<Details> {
        let extension = format!("{}.options.v1.details", self.tree.settings.package);
        let extension = self.pool.get_extension_by_name(&extension)?;
        let options = value.options();
        let named = options.get_extension(&extension).as_str().filter(|name| !name.is_empty())?.to_owned();
        let full_name = format!("{package}.{named}");
        if self.pool.get_message_by_name(&full_name).is_none() {
            let help = format!("name a message of {package}, such as [(mart.options.v1.details) = \"TotalChanged\"]");
            let what = format!("the details of `{code}` are `{named}`, which is not a message");
            self.error("details", place, what, help);
            return None;
        }
        Some(Details { message: names::camel(&named), full_name })
    }

    fn events(&mut self, files: &[FileDescriptor]) -> Vec<Event> {
        let mut found = Vec::new();
        let extension = format!("{}.options.v1.event", self.tree.settings.package);
        for file in files {
            for message in file.messages() {
                let Some(options) = self.option(&message.options(), &extension) else { continue };
                let at = message.path();
                let place = self.place(file, at);
                let (topic, key) = (text(&options, "topic"), text(&options, "key"));
                let retention = options.get_field_by_name("retention_minutes").and_then(|minutes| minutes.as_i32());
                let retention = retention.unwrap_or_default();
                if retention < 0 {
                    let what = format!("the retention_minutes of `{}` are {retention}", message.name());
                    self.error("retention", &place, what, "give a positive number of minutes, or omit it for 30 days");
                }
                let is_valid = |part: &str| {
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                };
                if !topic.split('.').all(is_valid) || !topic.starts_with(&format!("{}.", self.tree.settings.package)) {
                    let what = format!("the topic of `{}` has the invalid name `{topic}`", message.name());
                    let help = format!("name it {}.<aggregate>.v1, in lower case", self.tree.settings.package);
                    self.error("topic", &place, what, help);
                }
                if !has_key(&message, &key) {
                    let what =
                        format!("the key of `{}` is `{key}`, which is not a string or integer field", message.name());
                    self.error(
                        "event-key",
                        &place,
                        what,
                        "name the field with the aggregate's id, such as product.product_id",
                    );
                    continue;
                }
                found.push(Event {
                    name: names::camel(message.name()),
                    message: names::camel(message.name()),
                    method: names::snake(message.name()),
                    full_name: message.full_name().to_owned(),
                    comment: self.comment(file, at),
                    topic,
                    retention_minutes: if retention == 0 { DEFAULT_RETENTION_MINUTES } else { retention },
                    key,
                    place,
                });
            }
        }
        found
    }

    fn consumes(
        &mut self,
        service: &mut Service,
        files: &[FileDescriptor],
        events: &BTreeMap<String, (String, Event)>,
    ) {
        let extension = format!("{}.options.v1.service", self.tree.settings.package);
        let mut needed: BTreeSet<String> = files.iter().map(|file| file.name().to_owned()).collect();
        for file in files {
            for descriptor in file.services() {
                let Some(options) = self.option(&descriptor.options(), &extension) else { continue };
                let place = self.place(file, descriptor.path());
                for one in messages(&options, "consumes") {
                    let (event, handler) = (text(&one, "event"), text(&one, "handler"));
                    let Some((package, event)) = events.get(&event) else {
                        let what = format!("`{}` consumes `{event}`, which no service publishes", descriptor.name());
                        self.error(
                            "consumed",
                            &place,
                            what,
                            "give the full name of an event's message, such as mart.product.v1.ProductArchived",
                        );
                        continue;
                    };
                    // Stored receipts hold the name, so it has one form in all services.
                    let expected = format!("{}.{}", service.name, names::bare(&event.method).replace('_', "-"));
                    if handler != expected {
                        let what = format!("the handler of `{}` is named `{handler}`", event.full_name);
                        self.error("handler", &place, what, format!("set handler: \"{expected}\""));
                        continue;
                    }
                    if service.consumes.iter().any(|known| known.handler == handler) {
                        let what = format!("`{}` consumes `{}` twice", descriptor.name(), event.full_name);
                        self.error("handler", &place, what, "remove one of the two entries");
                        continue;
                    }
                    if let Some(message) = self.pool.get_message_by_name(&event.full_name) {
                        needed.insert(message.parent_file().name().to_owned());
                    }
                    let module = names::module(package);
                    let alias = names::snake(package.split('.').nth(1).unwrap_or(package));
                    let method = format!("on_{}", names::bare(&event.method));
                    service.consumes.push(Consumed { event: event.clone(), handler, method, module, alias });
                }
            }
        }
        service.files = self.closure(needed);
    }

    /// Returns the contracts that some files import, directly or indirectly, and these files, by their paths from the top.
    fn closure(&self, mut names: BTreeSet<String>) -> Vec<String> {
        let mut todo: Vec<String> = names.iter().cloned().collect();
        while let Some(name) = todo.pop() {
            let Some(file) = self.pool.get_file_by_name(&name) else { continue };
            for import in file.dependencies() {
                let ours = import.name().starts_with(&format!("{}/", self.tree.settings.package));
                if ours && names.insert(import.name().to_owned()) {
                    todo.push(import.name().to_owned());
                }
            }
        }
        names.iter().filter_map(|name| Some(self.sources.get(name)?.path.clone())).collect()
    }

    fn option(&self, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
        let extension = self.pool.get_extension_by_name(name)?;
        if !options.has_extension(&extension) {
            return None;
        }
        options.get_extension(&extension).as_message().cloned()
    }

    /// Returns whether the contract accepts only UUIDs in a field.
    fn is_uuid(&self, field: &FieldDescriptor) -> bool {
        let rules = self.option(&field.options(), "buf.validate.field");
        let text =
            rules.and_then(|rules| rules.get_field_by_name("string").and_then(|value| value.as_message().cloned()));
        text.and_then(|text| text.get_field_by_name("uuid").and_then(|value| value.as_bool())).unwrap_or(false)
    }

    fn number(&self, options: &DynamicMessage, name: &str) -> i32 {
        let extension = self.pool.get_extension_by_name(name);
        extension.and_then(|extension| options.get_extension(&extension).as_i32()).unwrap_or(0)
    }

    fn comment(&self, file: &FileDescriptor, at: &[i32]) -> String {
        self.infos.get(file.name()).map(|info| info.comment(at)).unwrap_or_default()
    }

    fn place(&self, file: &FileDescriptor, at: &[i32]) -> Place {
        self.infos.get(file.name()).map_or_else(|| Place::file(file.name()), |info| info.place(at, file.name()))
    }

    fn error(&mut self, rule: &'static str, place: &Place, what: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Finding::error(rule, place.clone(), what, help));
    }
}

/// The minutes of 30 days: the retention of a topic whose events set none.
const DEFAULT_RETENTION_MINUTES: i32 = 30 * 24 * 60;

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.as_message().cloned()).collect(),
        _ => Vec::new(),
    }
}

/// Returns whether a message has a string or an integer field at a path such as `product.product_id`.
fn has_key(message: &MessageDescriptor, key: &str) -> bool {
    let field =
        key.split_once('.').map_or_else(|| message.get_field_by_name(key), |(name, _)| message.get_field_by_name(name));
    let Some(field) = field.filter(|field| !field.is_list() && !field.is_map() && field.containing_oneof().is_none())
    else {
        return false;
    };
    match (field.kind(), key.split_once('.')) {
        (Kind::Message(inner), Some((_, rest))) => has_key(&inner, rest),
        (
            Kind::String
            | Kind::Int32
            | Kind::Int64
            | Kind::Uint32
            | Kind::Uint64
            | Kind::Sint32
            | Kind::Sint64
            | Kind::Fixed32
            | Kind::Fixed64
            | Kind::Sfixed32
            | Kind::Sfixed64,
            None,
        ) => true,
        _ => false,
    }
}
