//! The scenarios of the product service.

mod fixtures;
mod hosted;
mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let plan = features::Plan::new("product", world::mart);
    features::run::<world::World>(features::Plan { fixtures: Some(fixtures::fixtures), ..plan }).await
}
