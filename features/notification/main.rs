//! The features of notification.

mod fixtures;
mod hosted;
mod steps;
mod world;

use features::Plan;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = Plan::new("notification", world::mart);
    let fixtures: Option<features::Fixtures> = Some(fixtures::fixtures);
    features::run::<world::World>(Plan { seeds: 5, variables: world::VARIABLES, fixtures, ..plan }).await
}
