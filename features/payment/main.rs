//! The features of payment.

mod fixtures;
mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = features::Plan::new("payment", world::mart);
    let hurry = Some(world::HURRY);
    features::run::<world::World>(features::Plan { seeds: 5, hurry, fixtures: Some(fixtures::fixtures), ..plan }).await
}
