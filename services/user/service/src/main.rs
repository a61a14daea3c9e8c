//! The user service.

use clap::Parser;
use mart_chassis::healthcheck::healthcheck;
use mart_chassis::{Config, run, telemetry};
use user_service::generated::events;
use user_service::settings::Settings;
use user_service::{commands, wiring};

/// The user service of the mart. It is configured by environment variables; invalid ones are listed at the start.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Serve until SIGTERM, then shut down gracefully.
    Serve,
    /// Migrate the database, as its owner, to this version's schema and create the missing topics.
    Migrate,
    /// Ask the running service whether it is ready; fails with the reason if it is not. For the health check of a container.
    Healthcheck,
    #[command(flatten)]
    Own(commands::Command),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Serve => {
            let (config, settings) = Config::with_settings("user", Settings::read)?;
            let _telemetry = telemetry::start(&config);
            let service = wiring::wire(&config, &settings)?;
            run::serve(config, service).await?;
        }
        Command::Migrate => {
            let config = Config::from_env("user")?;
            let _telemetry = telemetry::start(&config);
            run::migrate(&config, &wiring::MIGRATIONS, events::TOPICS).await?;
        }
        Command::Healthcheck => healthcheck(&Config::from_env("user")?).await?,
        Command::Own(command) => {
            let (config, settings) = Config::with_settings("user", Settings::read)?;
            let _telemetry = telemetry::start(&config);
            command.run(&config, &settings).await?;
        }
    }
    Ok(())
}
