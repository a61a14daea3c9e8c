//! The features of inventory.

mod fixtures;
mod steps;
mod world;

use std::time::Duration;

use features::{Hurry, Plan};

/// A reservation's hold of 4 seconds.
const HURRY: Hurry = Hurry {
    variables: &[("RESERVATION_HOLD", "4"), ("RESERVATION_SWEEP", "0.2")],
    a_second_is: Duration::from_mins(15),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::new("inventory", world::mart);
    let fixtures: Option<features::Fixtures> = Some(fixtures::fixtures);
    features::run::<world::World>(Plan { seeds: 5, hurry: Some(HURRY), fixtures, ..plan }).await
}
