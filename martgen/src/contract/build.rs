//! Makes the model of compiled contracts, and tells all at once what keeps them from being served.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, ReflectMessage, ServiceDescriptor, Value,
};

use super::model::{Auth, Body, Consumed, Created, Event, Home, Mart, Operation, Protobuf, Reason, Service};
use super::names;
use super::source::{Info, Sources};
use crate::finding::{Finding, Place};
use crate::tree::Tree;

/// Makes the model. The findings are those of all contracts at once.
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
            return Some(Home { service, core, library, whole: false });
        }
        let service = format!("services/{name}/service");
        let there = self.tree.path(&format!("services/{name}")).is_dir();
        there.then(|| Home { service, core: format!("{name}_core"), library, whole: true })
    }

    fn protobuf(&mut self, descriptor: &ServiceDescriptor, reasons: &BTreeMap<String, Reason>) -> Protobuf {
        let path = descriptor.path();
        let comment = self.comment(&descriptor.parent_file(), path);
        if !descriptor.name().ends_with("Service") {
            let place = self.place(&descriptor.parent_file(), path);
            let help = format!(
                "name it {}Service: its trait in Rust can't be taken for something else then",
                descriptor.name()
            );
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

    fn operation(&mut self, method: &MethodDescriptor, reasons: &BTreeMap<String, Reason>) -> Operation {
        let (file, at) = (method.parent_service().parent_file(), method.path());
        let place = self.place(&file, at);
        let name = method.name();
        let (request, response) = (method.input(), method.output());
        for (message, ending) in [(&request, "Request"), (&response, "Response")] {
            let expected = format!("{}.{name}{ending}", file.package_name());
            if message.full_name() != expected {
                self.error(
                    "rpc-messages",
                    &place,
                    format!("`{name}` uses `{}`", message.full_name()),
                    format!("give it a message of its own, `{name}{ending}`, so that it can change alone"),
                );
            }
        }
        if method.is_client_streaming() || method.is_server_streaming() {
            self.error(
                "streaming",
                &place,
                format!("`{name}` is a stream"),
                "HTTP operations answer once: publish an event, or answer page by page",
            );
        }
        let http = self.option(&method.options(), "google.api.http");
        let (verb, path) = http.as_ref().and_then(pattern).unwrap_or_else(|| {
            let help = "say one method and path: option (google.api.http) = {get: \"/v1/products/{product_id}\"};";
            self.error("no-path", &place, format!("`{name}` has no path"), help);
            ("get", String::new())
        });
        let variables = self.path_of(&path, &request, name, &place);
        let uuid = |variable: &&String| request.get_field_by_name(variable).is_some_and(|field| self.is_uuid(&field));
        let uuids = variables.iter().filter(uuid).cloned().collect();
        let body = self.body(http.as_ref(), verb, &request, &variables, name, &place);
        let said = self.option(&method.options(), &format!("{}.options.v1.operation", self.tree.settings.package));
        let auth = self.auth(said.as_ref(), name, &place);
        let errors = self.errors(said.as_ref(), reasons, name, &place);
        let creates = said.as_ref().map(|said| text(said, "creates")).filter(|rpc| !rpc.is_empty());
        let creates = creates.and_then(|rpc| self.creates(&rpc, method, &response, &place));
        Operation {
            method: names::snake(name),
            error: format!("{}Error", names::camel(name)),
            comment: self.comment(&file, at),
            request: names::camel(request.name()),
            response: names::camel(response.name()),
            verb,
            path,
            uuids,
            auth,
            body,
            creates,
            etag: etag(&response),
            errors,
            name: name.to_owned(),
            place,
        }
    }

    /// Checks a path and gives the names of its variables.
    fn path_of(&mut self, path: &str, request: &MessageDescriptor, name: &str, place: &Place) -> Vec<String> {
        let mut variables = Vec::new();
        if path.is_empty() {
            return variables;
        }
        if !path.starts_with('/') || path.ends_with('/') || path.contains("//") {
            let help = "a path begins with a slash and has no empty segment";
            self.error("path", place, format!("the path of `{name}` is `{path}`"), help);
        }
        for segment in path.split('/').skip(1) {
            let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let literal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
            match inner {
                Some(variable) if variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                    if variables.iter().any(|known| known == variable) {
                        let what = format!("the path of `{name}` has `{{{variable}}}` twice");
                        self.error("path", place, what, "give each variable a field of its own");
                    }
                    match request.get_field_by_name(variable) {
                        Some(field) if scalar(&field) => {}
                        Some(_) => {
                            let what = format!("`{variable}` in the path of `{name}` is not a single value");
                            self.error("path", place, what, "a variable is a field of a scalar type");
                        }
                        None => {
                            let what = format!("the request of `{name}` has no field `{variable}`");
                            let help = format!("add `string {variable}` to {}, or correct the path", request.name());
                            self.error("path-variable", place, what, help);
                        }
                    }
                    variables.push(variable.to_owned());
                }
                None if !segment.is_empty() && segment.chars().all(literal) => {}
                _ => {
                    let what = format!("the path of `{name}` has the segment `{segment}`");
                    let help = "a segment is a word or {field}; what others spell /v1/orders/{order_id}:cancel is /v1/orders/{order_id}/cancel here";
                    self.error("path", place, what, help);
                }
            }
        }
        variables
    }

    fn body(
        &mut self,
        http: Option<&DynamicMessage>,
        verb: &str,
        request: &MessageDescriptor,
        variables: &[String],
        name: &str,
        place: &Place,
    ) -> Body {
        let body = http.map(|http| text(http, "body")).unwrap_or_default();
        match body.as_str() {
            "" => {}
            _ if verb == "get" || verb == "delete" => {
                let what = format!("`{name}` is a {} with a body", verb.to_uppercase());
                self.error("body", place, what, "take `body` away: the fields come from path and query");
            }
            "*" => return Body::Whole,
            field => match request.get_field_by_name(field) {
                Some(found) if found.kind().as_message().is_some() && !found.is_list() && !found.is_map() => {
                    let mask = request.fields().find(|field| is(field, "google.protobuf.FieldMask"));
                    let mask = mask.filter(|_| verb == "patch").map(|field| field.name().to_owned());
                    return Body::Field { name: field.to_owned(), mask };
                }
                _ => {
                    let what = format!("the body of `{name}` is `{field}`, which is no message of its request");
                    self.error("body", place, what, "name a field of a message type, or `*` for all fields");
                }
            },
        }
        // What neither path nor body says has to fit into a query.
        for field in request.fields().filter(|field| !variables.iter().any(|variable| variable == field.name())) {
            if field.is_map() || field.kind().as_message().is_some() && !is(&field, "google.protobuf.FieldMask") {
                let what = format!("`{}` of `{name}` can't be said in a query", field.name());
                self.error("query", place, what, "give the operation a body, or make the field a scalar");
            }
        }
        Body::None
    }

    fn auth(&mut self, said: Option<&DynamicMessage>, name: &str, place: &Place) -> Auth {
        let numbers = said.and_then(|said| said.get_field_by_name("auth").map(std::borrow::Cow::into_owned));
        let numbers: Vec<i32> = match &numbers {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_enum_number).collect(),
            _ => Vec::new(),
        };
        let names: Vec<String> = said
            .and_then(|said| said.descriptor().get_field_by_name("auth"))
            .and_then(|field| field.kind().as_enum().cloned())
            .map(|auth| {
                numbers
                    .iter()
                    .filter_map(|number| auth.get_value(*number))
                    .map(|value| value.name().to_owned())
                    .collect()
            })
            .unwrap_or_default();
        match names.iter().map(|name| name.strip_prefix("AUTH_").unwrap_or(name)).collect::<Vec<_>>().as_slice() {
            ["PUBLIC"] => Auth::Public,
            ["WEBHOOK"] => Auth::Webhook,
            roles
                if !roles.is_empty()
                    && !roles.iter().any(|role| ["PUBLIC", "WEBHOOK", "UNSPECIFIED"].contains(role)) =>
            {
                Auth::Roles(roles.iter().map(|role| role.to_lowercase()).collect())
            }
            _ => {
                let help = "say auth: [AUTH_PUBLIC], [AUTH_WEBHOOK], or one role or more in option (mart.options.v1.operation)";
                self.error("no-auth", place, format!("`{name}` does not say who may call it"), help);
                Auth::Roles(Vec::new())
            }
        }
    }

    fn errors(
        &mut self,
        said: Option<&DynamicMessage>,
        reasons: &BTreeMap<String, Reason>,
        name: &str,
        place: &Place,
    ) -> Vec<Reason> {
        let codes = said.map(|said| texts(said, "errors")).unwrap_or_default();
        if codes.is_empty() {
            let what = format!("`{name}` names no errors");
            self.error(
                "no-errors",
                place,
                what,
                "name its reasons in `errors`: an operation that can only succeed is rare",
            );
        }
        let mut found = Vec::new();
        for code in codes {
            match reasons.get(&code) {
                Some(reason) if !found.contains(reason) => found.push(reason.clone()),
                Some(_) => self.error("errors", place, format!("`{name}` names `{code}` twice"), "name it once"),
                None => {
                    let what = format!("`{name}` fails with `{code}`, which is no value of `Reason`");
                    self.error(
                        "errors",
                        place,
                        what,
                        format!("add `REASON_{code} = …;` with its status to the enum `Reason`"),
                    );
                }
            }
        }
        found
    }

    fn creates(
        &mut self,
        rpc: &str,
        method: &MethodDescriptor,
        response: &MessageDescriptor,
        place: &Place,
    ) -> Option<Created> {
        let reads = method
            .parent_service()
            .parent_file()
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .find(|other| other.name() == rpc);
        let http = reads.and_then(|reads| self.option(&reads.options(), "google.api.http"));
        let found = http.as_ref().and_then(pattern).and_then(|(verb, path)| {
            let (location, last) = path.rsplit_once('/')?;
            let variable = last.strip_prefix('{')?.strip_suffix('}')?;
            let id = field_path(response, variable)?;
            (verb == "get" && !location.contains('{')).then(|| Created { location: format!("{location}/"), id })
        });
        if found.is_none() {
            let what = format!("`{}` creates what `{rpc}` reads, but that leads to no path", method.name());
            let help = "`creates` names an rpc of the same file with a GET whose path ends with one variable that the answer has";
            self.error("creates", place, what, help);
        }
        found
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
                let help = "say the status that it is answered with, such as [(mart.options.v1.status) = 409]";
                self.error("status", &place, format!("the reason `{code}` has no status between 400 and 599"), help);
            }
            let variant = names::variant("Reason", value.name());
            if variant == "Fault" {
                self.error("reserved", &place, "a reason can't be named `FAULT`", "name what went wrong");
            }
            let comment = self.comment(file, at);
            reasons.insert(code.clone(), Reason { code, variant, status, comment });
        }
        reasons
    }

    fn events(&mut self, files: &[FileDescriptor]) -> Vec<Event> {
        let mut found = Vec::new();
        let extension = format!("{}.options.v1.event", self.tree.settings.package);
        for file in files {
            for message in file.messages() {
                let Some(said) = self.option(&message.options(), &extension) else { continue };
                let at = message.path();
                let place = self.place(file, at);
                let (topic, key) = (text(&said, "topic"), text(&said, "key"));
                let word = |part: &str| {
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                };
                if !topic.split('.').all(word) || !topic.starts_with(&format!("{}.", self.tree.settings.package)) {
                    let what = format!("the topic of `{}` is `{topic}`", message.name());
                    let help = format!("name it {}.<aggregate>.v1, in small letters", self.tree.settings.package);
                    self.error("topic", &place, what, help);
                }
                let Some(key) = key_expression(&message, &key) else {
                    let what = format!("the key of `{}` is `{key}`, which is no text or number of it", message.name());
                    self.error(
                        "event-key",
                        &place,
                        what,
                        "name the field that has the aggregate's id, such as product.product_id",
                    );
                    continue;
                };
                found.push(Event {
                    name: names::camel(message.name()),
                    message: names::camel(message.name()),
                    method: names::snake(message.name()),
                    full_name: message.full_name().to_owned(),
                    comment: self.comment(file, at),
                    topic,
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
                let Some(said) = self.option(&descriptor.options(), &extension) else { continue };
                let place = self.place(file, descriptor.path());
                for one in messages(&said, "consumes") {
                    let (event, handler) = (text(&one, "event"), text(&one, "handler"));
                    let Some((package, event)) = events.get(&event) else {
                        let what = format!("`{}` reacts to `{event}`, which nobody publishes", descriptor.name());
                        self.error(
                            "consumed",
                            &place,
                            what,
                            "name an event's message in full, such as mart.product.v1.ProductArchived",
                        );
                        continue;
                    };
                    let same = |known: &Consumed| known.handler == handler;
                    if handler.is_empty() || service.consumes.iter().any(same) {
                        let what = format!("the reaction to `{}` has no name of its own", event.full_name);
                        self.error(
                            "handler",
                            &place,
                            what,
                            format!("say handler: \"{}.{}\"", service.name, event.method.replace('_', "-")),
                        );
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

    /// The contracts that some lean on, themselves included, by their paths from the top.
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

    /// Names that would be one in Rust.
    fn unique(&mut self, service: &Service) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        let mut clashes = Vec::new();
        for operation in service.operations() {
            if operation.method == "router" {
                clashes.push((operation.place.clone(), "router".to_owned(), operation.name.clone()));
            }
            if let Some(other) = seen.insert(&operation.method, &operation.name) {
                clashes.push((operation.place.clone(), other.to_owned(), operation.name.clone()));
            }
        }
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for event in &service.events {
            if let Some(other) = seen.insert(&event.method, &event.name) {
                clashes.push((event.place.clone(), other.to_owned(), event.name.clone()));
            }
        }
        for (place, one, other) in clashes {
            let what = format!("`{other}` and `{one}` have the same name in Rust");
            self.error("names", &place, what, "rename one of them; all rpcs of a package share one name space");
        }
    }

    /// What two services may not share.
    fn across(&mut self, services: &[Service]) {
        let mut topics: HashMap<&str, &str> = HashMap::new();
        let mut found = Vec::new();
        for service in services {
            for event in &service.events {
                match topics.insert(&event.topic, &service.name) {
                    Some(other) if other != service.name => found.push((
                        "topic",
                        event.place.clone(),
                        format!("the topic `{}` is published by {other} and by {}", event.topic, service.name),
                        "a topic has one owner: give this event one of its own",
                    )),
                    _ => {}
                }
            }
        }
        let operations: Vec<(&Service, &Operation)> = services
            .iter()
            .flat_map(|service| service.operations().map(move |operation| (service, operation)))
            .collect();
        for (index, (service, operation)) in operations.iter().enumerate() {
            for (other_service, other) in &operations[..index] {
                if let Some(what) = overlap(operation, other, service.name == other_service.name) {
                    let help = "give one of them a path that no value of the other's variables can be";
                    found.push(("overlap", operation.place.clone(), what, help));
                }
            }
        }
        for (rule, place, what, help) in found {
            self.error(rule, &place, what, help);
        }
    }

    /// Every operation, event and field, and what they are made of, says what it is.
    fn comments(&mut self, files: &[FileDescriptor]) {
        for file in files {
            let mut found = Vec::new();
            for service in file.services() {
                for method in service.methods() {
                    found.push((method.path().to_vec(), format!("the operation `{}`", method.name())));
                }
            }
            let mut todo: Vec<MessageDescriptor> = file.messages().collect();
            while let Some(message) = todo.pop() {
                found.push((message.path().to_vec(), format!("the message `{}`", message.name())));
                for field in message.fields() {
                    found
                        .push((field.path().to_vec(), format!("the field `{}` of `{}`", field.name(), message.name())));
                }
                todo.extend(message.child_messages().filter(|child| !child.is_map_entry()));
            }
            let enums: Vec<EnumDescriptor> = file.enums().collect();
            for one in enums {
                for value in one.values() {
                    found.push((value.path().to_vec(), format!("the value `{}`", value.name())));
                }
            }
            for (at, what) in found {
                if self.comment(file, &at).is_empty() {
                    let place = self.place(file, &at);
                    self.error(
                        "comment",
                        &place,
                        format!("{what} has no comment"),
                        "say in a line above it what it is, for who reads the API's documents",
                    );
                }
            }
        }
    }

    fn option(&self, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
        let extension = self.pool.get_extension_by_name(name)?;
        if !options.has_extension(&extension) {
            return None;
        }
        options.get_extension(&extension).as_message().cloned()
    }

    /// Whether the contract takes nothing but a UUID for a field.
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

/// The method and the path of an HTTP rule.
fn pattern(http: &DynamicMessage) -> Option<(&'static str, String)> {
    ["get", "put", "post", "delete", "patch"].into_iter().find_map(|verb| {
        let path = text(http, verb);
        (!path.is_empty()).then_some((verb, path))
    })
}

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

fn is(field: &FieldDescriptor, name: &str) -> bool {
    field.kind().as_message().is_some_and(|message| message.full_name() == name)
}

fn scalar(field: &FieldDescriptor) -> bool {
    !field.is_list() && !field.is_map() && field.kind().as_message().is_none()
}

/// The path of a field with this name in an answer or in the message that it wraps.
fn field_path(response: &MessageDescriptor, name: &str) -> Option<String> {
    if response.get_field_by_name(name).is_some() {
        return Some(name.to_owned());
    }
    response.fields().filter(|field| !field.is_list() && !field.is_map()).find_map(|field| {
        let kind = field.kind();
        let inner = kind.as_message()?.get_field_by_name(name)?;
        scalar(&inner).then(|| format!("{}.{name}", field.name()))
    })
}

fn etag(response: &MessageDescriptor) -> Option<String> {
    field_path(response, "etag")
}

/// A key such as `product.product_id` as an expression over `message`.
fn key_expression(message: &MessageDescriptor, key: &str) -> Option<String> {
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop()?;
    let (mut at, mut expression, mut depth) = (message.clone(), String::from("message"), 0);
    for part in parts {
        let field = at.get_field_by_name(part)?;
        let inner = field.kind().as_message()?.clone();
        if field.is_list() || field.is_map() || field.containing_oneof().is_some() {
            return None;
        }
        let name = names::snake(part);
        if depth == 0 {
            expression = format!("{expression}.{name}.as_ref()");
        } else {
            expression = format!("{expression}.and_then(|inner| inner.{name}.as_ref())");
        }
        at = inner;
        depth += 1;
    }
    let field = at.get_field_by_name(last)?;
    if field.is_list() || field.containing_oneof().is_some() {
        return None;
    }
    let take = match field.kind() {
        Kind::String => "clone()",
        Kind::Int32
        | Kind::Int64
        | Kind::Uint32
        | Kind::Uint64
        | Kind::Sint32
        | Kind::Sint64
        | Kind::Fixed32
        | Kind::Fixed64
        | Kind::Sfixed32
        | Kind::Sfixed64 => "to_string()",
        _ => return None,
    };
    let name = names::snake(last);
    Some(if depth == 0 {
        format!("message.{name}.{take}")
    } else {
        let holder = names::snake(key.rsplit('.').nth(1)?);
        format!("{expression}.map(|{holder}| {holder}.{name}.{take}).unwrap_or_default()")
    })
}

/// How two operations stand in each other's way, if they do.
fn overlap(one: &Operation, other: &Operation, same_service: bool) -> Option<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (one.path.split('/').collect(), other.path.split('/').collect());
    if a.len() != b.len() {
        return None;
    }
    let variable = |segment: &str| segment.starts_with('{');
    let shape = |path: &[&str]| {
        path.iter().map(|segment| if variable(segment) { "{}" } else { *segment }.to_owned()).collect::<Vec<_>>()
    };
    if shape(&a) == shape(&b) {
        if one.verb == other.verb {
            return Some(format!(
                "`{}` and `{}` are both {} {}",
                other.name,
                one.name,
                one.verb.to_uppercase(),
                one.path
            ));
        }
        if same_service && a != b {
            return Some(format!("`{}` and `{}` name the variables of one path differently", other.name, one.name));
        }
        return None;
    }
    if same_service { shadow(one, &a, &b).or_else(|| shadow(other, &b, &a)) } else { None }
}

/// How a path with a word hides some of those of an operation with a variable there: a router takes the word first. A
/// variable that can only be a UUID is no word.
fn shadow(hidden: &Operation, hidden_path: &[&str], path: &[&str]) -> Option<String> {
    let variable = |segment: &str| segment.starts_with('{');
    let mut found = None;
    for (mine, theirs) in hidden_path.iter().zip(path) {
        match (variable(mine), variable(theirs)) {
            (true, true) => {}
            (true, false) if hidden.uuids.iter().any(|uuid| format!("{{{uuid}}}") == *mine) => return None,
            (true, false) => found = Some((mine, theirs)),
            _ if mine == theirs => {}
            _ => return None,
        }
    }
    let (mine, theirs) = found?;
    Some(format!("`{}` can't be asked for `{theirs}` as {mine}: {} is a path of its own", hidden.name, path.join("/")))
}
