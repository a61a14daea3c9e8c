//! The features of user.

mod fixtures;
mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = features::Plan::new("user", world::mart);
    let hurry = Some(world::HURRY);
    features::run::<world::World>(features::Plan {
        fixtures: Some(fixtures::fixtures),
        owner: fixtures::FIRST,
        hurry,
        ..plan
    })
    .await
}
