//! The features of notification.

mod fixtures;
mod steps;
mod world;

use features::Plan;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::new("notification", world::mart);
    let (hurry, fixtures): (_, Option<features::Fixtures>) = (Some(world::HURRY), Some(fixtures::fixtures));
    features::run::<world::World>(Plan { seeds: 5, hurry, fixtures, ..plan }).await
}
