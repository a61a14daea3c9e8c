//! The order service.

use clap::Parser;
use mart_chassis::{Config, run, telemetry};
use order_service::generated::events;
use order_service::wiring;

/// The order service of the mart. Configured by environment variables; a wrong one is named when it starts.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Serve until SIGTERM, then drain.
    Serve,
    /// Bring the database to this version's schema, as its owner, and create the topics that are missing.
    Migrate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    let config = Config::from_env("order")?;
    let _telemetry = telemetry::start(config.service);
    match command {
        Command::Serve => {
            let service = wiring::wire(&config)?;
            run::serve(config, service).await?;
        }
        Command::Migrate => run::migrate(&config, &wiring::MIGRATIONS, events::TOPICS).await?,
    }
    Ok(())
}
