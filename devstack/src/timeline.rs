//! The timeline of an aggregate, a trace or an event. It merges databases, logs and Kafka.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rdkafka::Offset;
use serde_json::Value;
use sqlx::{Connection, PgConnection, QueryBuilder};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::call::{KafkaEvent, Reader};
use crate::contracts;

/// The sources of timelines.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The owner's or superuser's URL of each service's database, by the service's name.
    pub databases: BTreeMap<String, String>,
    /// Each service's log, with debug lines, by the service's name.
    pub logs: BTreeMap<String, PathBuf>,
    /// The address of Kafka.
    pub brokers: String,
    /// The prefix of every topic.
    pub topic_prefix: String,
}

/// A past event, or a scheduled one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelineEvent {
    /// The time.
    pub at: OffsetDateTime,
    /// The name of the service, or `kafka`.
    pub source: String,
    /// The description.
    pub text: String,
    /// The trace id; empty if it is unknown.
    pub trace: String,
}

/// A timeline.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The ids of the aggregates in the timeline.
    pub keys: BTreeSet<String>,
    /// The events, ordered by time.
    pub events: Vec<TimelineEvent>,
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
        let at = self.at.format(clock).unwrap_or_default();
        write!(f, "{at}  {:<13} {}", self.source, self.text)?;
        if self.trace.is_empty() { Ok(()) } else { write!(f, "  [{}]", self.trace.get(..8).unwrap_or(&self.trace)) }
    }
}

/// A row of `inbox`: position, handler, event, reason, attempts, next_at, deadline and dead_at.
type InboxRow = (i64, String, String, String, i32, OffsetDateTime, OffsetDateTime, Option<OffsetDateTime>);

/// The filter of a timeline: the events on Kafka, their traces and their aggregates.
#[derive(Debug, Default)]
struct Selection {
    events: Vec<KafkaEvent>,
    traces: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Sources {
    /// Returns the timeline of an aggregate, a trace or an event by its id, or an error if nothing is found.
    pub async fn timeline(&self, id: &str) -> Result<Timeline> {
        let selection = self.select(id).await?;
        let mut events = Vec::new();
        for event in &selection.events {
            add_record(event, &mut events);
        }
        for (service, url) in &self.databases {
            self.add_rows(service, url, &selection, &mut events)
                .await
                .with_context(|| format!("cannot read the database of {service}"))?;
        }
        for (service, log) in &self.logs {
            add_log_lines(service, log, &selection, &mut events);
        }
        events.sort();
        events.dedup();
        ensure!(
            !events.is_empty(),
            "no timeline of {id}: give the id of an order, a product or another aggregate, of a trace (32 hexadecimal digits), or of an event"
        );
        Ok(Timeline { keys: selection.keys, events })
    }

    /// Returns the selection of an id.
    async fn select(&self, id: &str) -> Result<Selection> {
        let (brokers, prefix) = (self.brokers.clone(), self.topic_prefix.clone());
        let read = move || -> Result<Vec<KafkaEvent>> {
            let topics: Vec<String> = contracts::topics().iter().map(|topic| format!("{prefix}{topic}")).collect();
            let reader = Reader::new(&brokers, &topics, Offset::Beginning)?;
            reader.read_to_end()
        };
        let all = tokio::task::spawn_blocking(read).await??;
        let mut selection = Selection::default();
        let has_id = |event: &&KafkaEvent| event.key == id || event.header("ce_id") == id || event.trace_id() == id;
        for event in all.iter().filter(has_id) {
            // The trace is empty if the producer sent no traceparent.
            selection.traces.extend(Some(event.trace_id().to_owned()).filter(|trace| !trace.is_empty()));
            if event.trace_id() != id {
                selection.keys.insert(event.key.clone());
            }
        }
        if selection.keys.is_empty() && selection.traces.is_empty() {
            // The aggregate or trace has no event on Kafka, or not yet.
            selection.traces.insert(id.to_owned());
            selection.keys.insert(id.to_owned());
        }
        // For a trace, all of its events. For an aggregate, only its own events, because its traces may contain other aggregates,
        // such as those of a request that republishes all orders.
        let by_trace = selection.keys.is_empty();
        let selected = |event: &KafkaEvent| {
            if by_trace { event.trace_id() == id } else { selection.keys.contains(&event.key) }
        };
        selection.events = all.into_iter().filter(selected).collect();
        selection.keys.extend(selection.events.iter().map(|event| event.key.clone()));
        Ok(selection)
    }

    /// Adds what a service's database has: events in the outbox, receipts of handlers, and pending or dead records of the inbox.
    async fn add_rows(
        &self,
        service: &str,
        url: &str,
        selection: &Selection,
        events: &mut Vec<TimelineEvent>,
    ) -> Result<()> {
        let mut database = PgConnection::connect(url).await?;
        let keys: Vec<&str> = selection.keys.iter().map(String::as_str).collect();
        let ids: Vec<&str> = selection.events.iter().map(|event| event.header("ce_id")).collect();
        let mut add = |at, text: String, trace: &str| {
            events.push(TimelineEvent { at, source: service.to_owned(), text, trace: trace.to_owned() });
        };
        let outbox: Vec<(OffsetDateTime, String, i64, String)> =
            QueryBuilder::new("select at, event_type, version, traceparent from outbox where key = any(")
                .push_bind(&keys)
                .push(")")
                .build_query_as()
                .fetch_all(&mut database)
                .await?;
        for (at, event_type, version, traceparent) in outbox {
            let trace = traceparent.split('-').nth(1).unwrap_or_default();
            add(at, format!("commits {}, version {version}; still in the outbox", short(&event_type)), trace);
        }
        let receipts: Vec<(OffsetDateTime, String, String)> =
            QueryBuilder::new("select at, scope, key from receipt where key = any(")
                .push_bind(&ids)
                .push(")")
                .build_query_as()
                .fetch_all(&mut database)
                .await?;
        for (at, handler, id) in receipts {
            let event = selection.events.iter().find(|event| event.header("ce_id") == id);
            let (name, trace) = event.map_or(("?", ""), |event| (event.name(), event.trace_id()));
            add(at, format!("{handler} has applied {name}"), trace);
        }
        let inbox: Vec<InboxRow> = QueryBuilder::new(
            "select position, handler, event, reason, attempts, next_at, deadline, dead_at from inbox where key = any(",
        )
        .push_bind(&keys)
        .push(") or event = any(")
        .push_bind(&ids)
        .push(")")
        .build_query_as()
        .fetch_all(&mut database)
        .await?;
        for (position, handler, id, reason, attempts, next_at, deadline, dead_at) in inbox {
            let event = selection.events.iter().find(|event| event.header("ce_id") == id);
            let (name, trace) = event.map_or(("a record", ""), |event| (event.name(), event.trace_id()));
            let until = deadline.format(&Rfc3339).unwrap_or_default();
            match dead_at {
                Some(at) => {
                    let command = format!("./mart dlq show {service} {position}");
                    add(at, format!("{handler} has given up on {name}: {reason} ({command})"), trace);
                }
                None => add(
                    next_at,
                    format!("{handler} retries {name} after {attempts} attempts, until {until}: {reason}"),
                    trace,
                ),
            }
        }
        Ok(())
    }
}

/// Adds an event's commit and its record on Kafka.
fn add_record(event: &KafkaEvent, events: &mut Vec<TimelineEvent>) {
    let (name, version, trace) = (event.name(), event.header("ce_version"), event.trace_id());
    let source = event.header("ce_source").trim_start_matches('/');
    let (at, id) = (event.header("ce_time"), event.header("ce_id"));
    let mut add = |at, source: &str, text| {
        events.push(TimelineEvent { at, source: source.to_owned(), text, trace: trace.to_owned() });
    };
    if let Ok(at) = OffsetDateTime::parse(at, &Rfc3339) {
        add(at, source, format!("commits {name}, version {version}, of {} (event {id})", event.key));
    }
    if let Some(at) = event.at {
        add(
            at,
            "kafka",
            format!("has {name} in {}, partition {}, offset {}", event.topic, event.partition, event.offset),
        );
    }
}

/// Adds the lines of a service's log that belong to the traces.
fn add_log_lines(service: &str, log: &PathBuf, selection: &Selection, events: &mut Vec<TimelineEvent>) {
    let Ok(file) = std::fs::File::open(log) else { return };
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        let span = |name: &str| line["span"][name].as_str().unwrap_or_default();
        let trace = span("trace_id").to_owned();
        if !selection.traces.contains(&trace) {
            continue;
        }
        let Ok(at) = OffsetDateTime::parse(line["timestamp"].as_str().unwrap_or_default(), &Rfc3339) else { continue };
        let text = match (line["message"].as_str().unwrap_or_default(), line["outcome"].as_str()) {
            ("answered", _) => {
                let milliseconds = line["seconds"].as_f64().unwrap_or_default() * 1_000.0;
                let (method, route) = (span("method"), span("route"));
                format!("answers {method} {route} with {} after {milliseconds:.1} ms", line["status"])
            }
            // The receipt has this event.
            ("handled", Some("applied")) => continue,
            ("handled", Some(outcome)) => {
                format!("{} handled {}: {outcome}", span("handler"), short(span("event_type")))
            }
            (message, _) => format!("{}: {message}", line["level"].as_str().unwrap_or_default().to_lowercase()),
        };
        events.push(TimelineEvent { at, source: service.to_owned(), text, trace });
    }
}

/// Returns an event type without its package.
fn short(event_type: &str) -> &str {
    event_type.rsplit('.').next().unwrap_or(event_type)
}
