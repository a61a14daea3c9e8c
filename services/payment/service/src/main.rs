//! The payment service.

use clap::Parser;
use mart_chassis::healthcheck::healthcheck;
use mart_chassis::{Config, run, telemetry};
use payment_service::generated::events;
use payment_service::settings::Settings;
use payment_service::wiring;

/// The payment service of the mart. It is configured by environment variables; invalid ones are listed at the start.
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
            let (config, settings) = Config::with_settings("payment", Settings::read)?;
            let _telemetry = telemetry::start(&config);
            let service = wiring::wire(&config, &settings)?;
            run::serve(config, service).await?;
        }
        Command::Migrate => {
            let config = Config::from_env("payment")?;
            let _telemetry = telemetry::start(&config);
            run::migrate(&config, &wiring::MIGRATIONS, events::TOPICS).await?;
        }
        Command::Healthcheck => healthcheck(&Config::from_env("payment")?).await?,
    }
    Ok(())
}
