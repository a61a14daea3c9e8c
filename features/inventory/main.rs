//! Runs the scenarios of inventory.

mod fixtures;
mod hosted;
mod steps;
mod world;

use features::Plan;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::new("inventory", world::mart);
    let fixtures: Option<features::Fixtures> = Some(fixtures::fixtures);
    features::run::<world::World>(Plan {
        seeds: 5,
        variables: &[("RESERVATION_EXPIRY_INTERVAL", "200ms")],
        fixtures,
        ..plan
    })
    .await
}
