//! Runs the scenarios of payment.

mod fixtures;
mod hosted;
mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = features::Plan::new("payment", world::mart);
    features::run::<world::World>(features::Plan {
        seeds: 5,
        variables: world::VARIABLES,
        fixtures: Some(fixtures::fixtures),
        ..plan
    })
    .await
}
