//! The user service.

use clap::Parser;
use mart_chassis::{Config, run, telemetry};
use user_service::generated::events;
use user_service::{commands, wiring};

/// The user service of the mart. Configured by environment variables; a wrong one is named when it starts.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Serve until SIGTERM, then drain.
    Serve,
    /// Bring the database to this version's schema, as its owner, and create the topics that are missing.
    Migrate,
    #[command(flatten)]
    Own(commands::Command),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let command = Command::parse();
    let config = Config::from_env("user")?;
    let _telemetry = telemetry::start(config.service);
    match command {
        Command::Serve => {
            let service = wiring::wire(&config)?;
            run::serve(config, service).await?;
        }
        Command::Migrate => run::migrate(&config, &wiring::MIGRATIONS, events::TOPICS).await?,
        Command::Own(command) => command.run(&config).await?,
    }
    Ok(())
}
