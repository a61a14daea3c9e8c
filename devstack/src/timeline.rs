//! One timeline over everything that happened about an aggregate, in a trace, or around an event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rdkafka::Offset;
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::call::{Reader, Seen};
use crate::contracts;

/// Where the traces of what happened are.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The owner's or superuser's URL of each service's database, by the service's name.
    pub databases: BTreeMap<String, String>,
    /// Each service's log, with its debug lines.
    pub logs: BTreeMap<String, PathBuf>,
    /// Kafka's address.
    pub brokers: String,
    /// Put before every topic.
    pub topic_prefix: String,
}

/// Something that happened, or will.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelineEvent {
    /// When.
    pub at: OffsetDateTime,
    /// Where: a service, or Kafka.
    pub place: String,
    /// What.
    pub what: String,
    /// The trace that it belongs to; empty where that is not known.
    pub trace: String,
}

/// What happened, in its order.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// The ids of the aggregates that it is about.
    pub keys: BTreeSet<String>,
    /// The moments, by time.
    pub moments: Vec<TimelineEvent>,
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:3]");
        let at = self.at.format(clock).unwrap_or_default();
        write!(f, "{at}  {:<13} {}", self.place, self.what)?;
        if self.trace.is_empty() { Ok(()) } else { write!(f, "  [{}]", self.trace.get(..8).unwrap_or(&self.trace)) }
    }
}

/// A row of `inbox`: position, handler, event, reason, attempts, and the times of the next, the last and the end.
type Waiting = (i64, String, String, String, i32, OffsetDateTime, OffsetDateTime, Option<OffsetDateTime>);

/// What a timeline is about.
#[derive(Debug, Default)]
struct Chosen {
    events: Vec<Seen>,
    traces: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Sources {
    /// The timeline of an aggregate's id, a trace's or an event's.
    pub async fn timeline(&self, id: &str) -> Result<Timeline> {
        let chosen = self.choose(id).await?;
        let mut moments = Vec::new();
        for event in &chosen.events {
            told(event, &mut moments);
        }
        for (service, url) in &self.databases {
            self.kept(service, url, &chosen, &mut moments)
                .await
                .with_context(|| format!("the database of {service}"))?;
        }
        for (service, log) in &self.logs {
            logged(service, log, &chosen, &mut moments);
        }
        moments.sort();
        moments.dedup();
        ensure!(
            !moments.is_empty(),
            "nothing is known of {id}: give the id of an order, a product or another aggregate, of a trace (32 hexadecimal digits), or of an event"
        );
        Ok(Timeline { keys: chosen.keys, moments })
    }

    /// The events that the timeline is about.
    async fn choose(&self, id: &str) -> Result<Chosen> {
        let (brokers, prefix) = (self.brokers.clone(), self.topic_prefix.clone());
        let read = move || -> Result<Vec<Seen>> {
            let topics: Vec<String> = contracts::topics().iter().map(|topic| format!("{prefix}{topic}")).collect();
            let reader = Reader::new(&brokers, &topics, Offset::Beginning)?;
            reader.to_the_end()
        };
        let all = tokio::task::spawn_blocking(read).await??;
        let mut chosen = Chosen::default();
        let named = |seen: &&Seen| seen.key == id || seen.header("ce_id") == id || seen.trace_id() == id;
        for seen in all.iter().filter(named) {
            // A record of a producer that knows nothing of traces has none.
            chosen.traces.extend(Some(seen.trace_id().to_owned()).filter(|trace| !trace.is_empty()));
            if seen.trace_id() != id {
                chosen.keys.insert(seen.key.clone());
            }
        }
        if chosen.keys.is_empty() && chosen.traces.is_empty() {
            // What has told nothing, or not yet.
            chosen.traces.insert(id.to_owned());
            chosen.keys.insert(id.to_owned());
        }
        // One trace may be about many, as that of a request to republish all orders is: of an aggregate's traces only what is
        // said of it, of a trace all.
        let whole = chosen.keys.is_empty();
        let about = |seen: &Seen| if whole { seen.trace_id() == id } else { chosen.keys.contains(&seen.key) };
        chosen.events = all.into_iter().filter(about).collect();
        chosen.keys.extend(chosen.events.iter().map(|seen| seen.key.clone()));
        Ok(chosen)
    }

    /// What a service's database has of it: events on their way, receipts of handlers, records that wait or are dead.
    async fn kept(&self, service: &str, url: &str, chosen: &Chosen, moments: &mut Vec<TimelineEvent>) -> Result<()> {
        let mut database = PgConnection::connect(url).await?;
        let keys: Vec<&str> = chosen.keys.iter().map(String::as_str).collect();
        let ids: Vec<&str> = chosen.events.iter().map(|seen| seen.header("ce_id")).collect();
        let mut add = |at, what: String, trace: &str| {
            moments.push(TimelineEvent { at, place: service.to_owned(), what, trace: trace.to_owned() });
        };
        let outbox: Vec<(OffsetDateTime, String, i64, String)> =
            sqlx::query_as("select at, event_type, version, traceparent from outbox where key = any($1)")
                .bind(&keys)
                .fetch_all(&mut database)
                .await?;
        for (at, kind, version, traceparent) in outbox {
            let trace = traceparent.split('-').nth(1).unwrap_or_default();
            add(at, format!("commits {}, version {version}, which still waits in the outbox", short(&kind)), trace);
        }
        let receipts: Vec<(OffsetDateTime, String, String)> =
            sqlx::query_as("select at, scope, key from receipt where key = any($1)")
                .bind(&ids)
                .fetch_all(&mut database)
                .await?;
        for (at, handler, event) in receipts {
            let seen = chosen.events.iter().find(|seen| seen.header("ce_id") == event);
            let (name, trace) = seen.map_or(("?", ""), |seen| (seen.name(), seen.trace_id()));
            add(at, format!("{handler} has applied {name}"), trace);
        }
        let waiting: Vec<Waiting> = sqlx::query_as(
            "select position, handler, event, reason, attempts, next_at, deadline, dead_at from inbox \
             where key = any($1) or event = any($2)",
        )
        .bind(&keys)
        .bind(&ids)
        .fetch_all(&mut database)
        .await?;
        for (position, handler, event, reason, attempts, next_at, deadline, dead_at) in waiting {
            let seen = chosen.events.iter().find(|seen| seen.header("ce_id") == event);
            let (name, trace) = seen.map_or(("a record", ""), |seen| (seen.name(), seen.trace_id()));
            let until = deadline.format(&Rfc3339).unwrap_or_default();
            match dead_at {
                Some(at) => {
                    let look = format!("./mart dlq show {service} {position}");
                    add(at, format!("{handler} has given up on {name}: {reason} ({look})"), trace);
                }
                None => add(
                    next_at,
                    format!("{handler} tries {name} again after {attempts} attempts, until {until}: {reason}"),
                    trace,
                ),
            }
        }
        Ok(())
    }
}

/// An event's commit and its place on Kafka.
fn told(event: &Seen, moments: &mut Vec<TimelineEvent>) {
    let (name, version, trace) = (event.name(), event.header("ce_version"), event.trace_id());
    let source = event.header("ce_source").trim_start_matches('/');
    let (at, id) = (event.header("ce_time"), event.header("ce_id"));
    let mut add = |at, place: &str, what| {
        moments.push(TimelineEvent { at, place: place.to_owned(), what, trace: trace.to_owned() });
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

/// What a service's log says within the traces.
fn logged(service: &str, log: &PathBuf, chosen: &Chosen, moments: &mut Vec<TimelineEvent>) {
    let Ok(file) = std::fs::File::open(log) else { return };
    for line in BufReader::new(file).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        let span = |name: &str| line["span"][name].as_str().unwrap_or_default();
        let trace = span("trace_id").to_owned();
        if !chosen.traces.contains(&trace) {
            continue;
        }
        let Ok(at) = OffsetDateTime::parse(line["timestamp"].as_str().unwrap_or_default(), &Rfc3339) else { continue };
        let what = match (line["message"].as_str().unwrap_or_default(), line["outcome"].as_str()) {
            ("answered", _) => {
                let milliseconds = line["seconds"].as_f64().unwrap_or_default() * 1_000.0;
                let (method, route) = (span("method"), span("route"));
                format!("answers {method} {route} with {} after {milliseconds:.1} ms", line["status"])
            }
            // Its receipt tells it.
            ("handled", Some("applied")) => continue,
            ("handled", Some(outcome)) => {
                format!("{} was asked about {}: {outcome}", span("handler"), short(span("event_type")))
            }
            (message, _) => format!("{}: {message}", line["level"].as_str().unwrap_or_default().to_lowercase()),
        };
        moments.push(TimelineEvent { at, place: service.to_owned(), what, trace });
    }
}

fn short(kind: &str) -> &str {
    kind.rsplit('.').next().unwrap_or(kind)
}
