//! The features of inventory.

mod fixtures;
mod steps;
mod world;

use std::time::Duration;

use features::{Hurry, Plan};

/// A reservation's hold of 8 seconds: long enough to look at one that was made anew.
const HURRY: Hurry = Hurry {
    variables: &[("RESERVATION_HOLD", "8"), ("RESERVATION_SWEEP", "0.2")],
    a_second_is: Duration::from_secs(450),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::new("inventory", world::mart);
    let fixtures: Option<features::Fixtures> = Some(fixtures::fixtures);
    features::run::<world::World>(Plan { seeds: 5, hurry: Some(HURRY), fixtures, ..plan }).await
}
