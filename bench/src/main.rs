//! Benchmarks the mart's throughput and latency as ratios to the bare servers.
//!
//! Each figure is measured in pairs: the mart, then the bare server with the same work. The result is the median of the pairs'
//! ratios, because single pairs vary by a fifth on a shared machine.

#![allow(clippy::print_stdout, reason = "a command-line tool")]
#![allow(clippy::cast_precision_loss, reason = "rates are not exact")]

mod consumer;
mod create;
mod environment;
mod load;
mod orders;
mod peer;
mod pgbench;
mod relay;
mod shop;
mod statements;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use serde_json::{Value, json};

use crate::orders::Flow;
use crate::shop::Shop;

/// Run the benchmarks, print a table and write the figures to target/bench/result.json.
#[derive(Parser)]
struct Arguments {
    /// Run one short pair of each with debug builds: shows that everything works, measures nothing.
    #[arg(long)]
    smoke: bool,
}

/// The scale of the benchmarks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The number of pairs of each figure.
    pub(crate) pairs: usize,
    /// The duration of a round under load.
    pub(crate) round: Duration,
    /// The number of rows or events of a round that ends when all are processed.
    pub(crate) rows: usize,
    /// The number of connections of the client and of pgbench.
    pub(crate) connections: usize,
    pub(crate) release: bool,
}

/// The rates of the mart and of the bare server, per second.
pub(crate) type Pair = (f64, f64);

/// A figure with its pairs.
struct Figure {
    name: &'static str,
    against: &'static str,
    goal: Option<f64>,
    pairs: Vec<Pair>,
}

impl Figure {
    fn median(&self, of: impl Fn(&Pair) -> f64) -> f64 {
        let mut all: Vec<f64> = self.pairs.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    }

    fn ratio(&self) -> f64 {
        self.median(|(mart, bare)| mart / bare)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let smoke = Arguments::parse().smoke;
    let scale = if smoke {
        Scale { pairs: 1, round: Duration::from_secs(1), rows: 2_000, connections: 8, release: false }
    } else {
        Scale { pairs: 5, round: Duration::from_secs(8), rows: 200_000, connections: 32, release: true }
    };
    let mut environment = environment::Environment::start(scale).await?;
    let (create, memory) = create::measure(&mut environment, scale).await?;
    let (relay, parts) = relay::measure(&mut environment, scale).await?;
    let consumer = consumer::measure(&mut environment, scale).await?;
    let placed = orders::placed(&environment, scale).await?;
    let flow = orders::flow(&environment, scale).await?;
    let shop = shop::measure(&environment, scale).await?;
    environment.stop().await;

    let figures = [
        Figure { name: "create over HTTP", against: "pgbench, same statement", goal: Some(0.6), pairs: create },
        Figure {
            name: "relay",
            against: "the smaller of bare delete and bare producer",
            goal: Some(0.8),
            pairs: relay,
        },
        Figure { name: "orders placed", against: "pgbench, same two statements", goal: Some(0.6), pairs: placed.bare },
        Figure { name: "orders placed", against: "FastAPI + SQLModel, same rows", goal: None, pairs: placed.peer },
        Figure { name: "consumer", against: "pgbench, same writes", goal: Some(0.8), pairs: consumer },
    ];
    print_figures(&figures);
    println!("bare parts of the relay (medians): delete {:.0}/s, producer {:.0}/s", parts.0, parts.1);
    print_flow(&flow);
    print_shop(&shop);
    let mut memories =
        vec![("product after creates".to_owned(), memory), ("order after orders".to_owned(), placed.memory)];
    memories.extend(shop.memory.iter().cloned());
    for (name, (resident, peak)) in &memories {
        println!("memory of {name}: {resident} KiB resident, {peak} KiB peak (goal 20480)");
    }
    if smoke {
        println!("this was a smoke run: ignore its figures");
    }
    let result = result(smoke, &figures, parts, &flow, &shop, &memories);
    let folder = devstack::root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("result.json"), serde_json::to_string_pretty(&result)?)?;
    Ok(())
}

fn print_figures(figures: &[Figure]) {
    println!("\n{:<18} {:>12} {:>12} {:>7} {:>6}  against", "", "mart/s", "bare/s", "ratio", "goal");
    for figure in figures {
        let (mart, bare) = (figure.median(|pair| pair.0), figure.median(|pair| pair.1));
        println!(
            "{:<18} {mart:>12.0} {bare:>12.0} {:>7.2} {:>6}  {}",
            figure.name,
            figure.ratio(),
            figure.goal.map(|goal| goal.to_string()).unwrap_or_default(),
            figure.against
        );
    }
}

fn print_flow(flow: &Flow) {
    println!("\n{:<30} {:>8} {:>8} {:>8} {:>8}", "milliseconds at light load", "p50", "bare", "p99", "bare");
    let (p50, p99) = ((flow.reserved.percentile(50), flow.bare(50)), (flow.reserved.percentile(99), flow.bare(99)));
    println!("{:<30} {:>8.1} {:>8.1} {:>8.1} {:>8.1}", "order placed -> stock reserved", p50.0, p50.1, p99.0, p99.1);
    println!(
        "bare: 3 commits (p50 {:.1}, p99 {:.1}) and 2 hops over Kafka (p50 {:.1}, p99 {:.1})",
        flow.commit.percentile(50),
        flow.commit.percentile(99),
        flow.hop.percentile(50),
        flow.hop.percentile(99)
    );
}

fn print_shop(shop: &Shop) {
    println!("\n{:<46} {:>8} {:>8}", "milliseconds through the whole mart", "p50", "p99");
    for (name, times) in [
        ("order placed -> payment page is open", &shop.opened),
        ("order placed -> paid and confirmed", &shop.confirmed),
        ("order placed -> paid and confirmed, 16 at once", &shop.loaded),
    ] {
        println!("{name:<46} {:>8.1} {:>8.1}", times.percentile(50), times.percentile(99));
    }
    println!("{:.0} confirmed orders per second, 16 customers at once", shop.rate);
}

/// Returns the figures as JSON.
fn result(
    smoke: bool,
    figures: &[Figure],
    relay: (f64, f64),
    flow: &Flow,
    shop: &Shop,
    memories: &[(String, (u64, u64))],
) -> Value {
    let (p50, p99) = ((flow.reserved.percentile(50), flow.bare(50)), (flow.reserved.percentile(99), flow.bare(99)));
    json!({
        "smoke": smoke,
        "figures": figures.iter().map(|figure| json!({
            "name": figure.name, "against": figure.against, "goal": figure.goal,
            "ratio": figure.ratio(), "pairs": figure.pairs,
        })).collect::<Vec<_>>(),
        "relayBare": { "deletePerSecond": relay.0, "producerPerSecond": relay.1 },
        "orderToStockMilliseconds": {
            "p50": p50.0, "p50Bare": p50.1, "p99": p99.0, "p99Bare": p99.1,
            "commitP50": flow.commit.percentile(50), "hopP50": flow.hop.percentile(50),
        },
        "orderToConfirmedMilliseconds": {
            "p50": shop.confirmed.percentile(50), "p99": shop.confirmed.percentile(99),
            "pageP50": shop.opened.percentile(50), "pageP99": shop.opened.percentile(99),
            "loadedP50": shop.loaded.percentile(50), "loadedP99": shop.loaded.percentile(99),
        },
        "ordersConfirmedPerSecond": shop.rate,
        "memoryKib": memories.iter().map(|(name, (resident, peak))| {
            json!({ "of": name, "resident": resident, "peak": peak })
        }).collect::<Vec<_>>(),
    })
}
