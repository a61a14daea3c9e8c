//! The features of the catalogue.

mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    features::run::<world::World>(features::Plan::new("product", world::mart)).await
}
