//! The inventory service.

use clap::Parser;
use inventory_service::generated::events;
use inventory_service::settings::Settings;
use inventory_service::wiring;
use mart_chassis::healthcheck::healthcheck;
use mart_chassis::{Config, run, telemetry};

/// The inventory service of the mart. It is configured by environment variables; invalid ones are listed at the start.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Serve until SIGTERM, then shut down gracefully.
    Serve,
    /// Migrate the database, as its owner, to this version's schema and create the missing topics.
    Migrate,
    /// Ask the running service whether it is ready; fails with the reason if it is not. For the health check of a container.
    Healthcheck,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve => {
            let (config, settings) = Config::with_settings("inventory", Settings::read)?;
            let _telemetry = telemetry::start(&config);
            let service = wiring::wire(&config, &settings)?;
            run::serve(config, service).await?;
        }
        Command::Migrate => {
            let config = Config::from_env("inventory")?;
            let _telemetry = telemetry::start(&config);
            run::migrate(&config, &wiring::MIGRATIONS, events::TOPICS).await?;
        }
        Command::Healthcheck => healthcheck(&Config::from_env("inventory")?).await?,
    }
    Ok(())
}
