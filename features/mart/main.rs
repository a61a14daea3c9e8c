//! The features of the mart as a whole, each scenario under several seeds of the bus.

mod steps;
mod world;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    features::run_under_seeds::<world::World>("mart", 20).await
}
