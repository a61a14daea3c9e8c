//! The scenarios of the user service.

mod fixtures;
mod hosted;
mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = features::Plan::new("user", world::mart);
    features::run::<world::World>(features::Plan {
        fixtures: Some(fixtures::fixtures),
        owner: fixtures::FIRST,
        variables: world::VARIABLES,
        ..plan
    })
    .await
}
