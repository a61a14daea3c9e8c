//! The operator's commands of the service's program: `user-service create-admin`.

use std::io::BufRead;

use anyhow::{Context, anyhow, bail};
use mart_chassis::Config;
use mart_proto::user::v1;
use user_core::application::RegisterError;
use user_core::domain::{Email, Profile};

use crate::settings::Settings;
use crate::wiring;

/// The commands beside `serve` and `migrate`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create an admin with a verified mailbox. The password is the first line of the standard input.
    CreateAdmin {
        /// The email address.
        email: String,
        /// The admin's name.
        #[arg(long, default_value = "Admin")]
        name: String,
    },
}

impl Command {
    /// Runs the command. An error lists the faults and never contains the password.
    #[expect(clippy::print_stdout, reason = "a command that people run")]
    pub async fn run(self, config: &Config, settings: &Settings) -> anyhow::Result<()> {
        let Self::CreateAdmin { email, name } = self;
        let mut password = String::new();
        std::io::stdin().lock().read_line(&mut password).context("the password could not be read")?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        // The contract's rules of a registration apply to an admin too.
        let request = v1::RegisterRequest { email, password, name, locale: String::new() };
        let checked = mart_proto::check(&mart_proto::dynamic(&request)).map_err(|violations| {
            let faults = violations.iter().map(|violation| format!("\n  {}: {}", violation.field, violation.message));
            anyhow!("no admin was created:{}", faults.collect::<String>())
        });
        let v1::RegisterRequest { email, password, name, locale } = checked?;
        let email = Email::of(&email);
        let (_, use_cases) = wiring::use_cases(config, settings)?;
        match use_cases.create_admin(email.clone(), password, Profile { name, locale, ..Profile::default() }).await {
            Ok(true) => println!("{email} is an admin"),
            Ok(false) => bail!("{email} already has a user, and a user's role does not change"),
            Err(RegisterError::Weak) => bail!(
                "the password is easy to guess: it has fewer than 5 different characters or contains the mailbox name"
            ),
            Err(error) => bail!("no admin was created, try again: {error:?}"),
        }
        Ok(())
    }
}
