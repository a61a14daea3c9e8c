//! The settings of this service only; mart_chassis::Config has those of every service.

use std::path::PathBuf;
use std::time::Duration;

use mart_chassis::config::SettingsReader;
use user_core::domain::{Policy, ThrottlePolicy};

use crate::adapters::tokens;
use crate::generated::events;

/// The bounds of `ACCESS_TOKEN_TTL`. A disabled user has access until the token expires, and a rotated key is needed until then.
const ACCESS_TOKEN_TTL_RANGE: std::ops::RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_mins(15);
/// The longest `REFRESH_GRACE_PERIOD`. A replayed token goes unnoticed during it.
const MAX_REFRESH_GRACE_PERIOD: Duration = Duration::from_mins(1);
/// The topic of verification and reset links.
const LINK_TOPIC: &str = "mart.user_link.v1";

/// The settings of the user service, from environment variables.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TOKEN_SIGNING_KEYS`: the folder with `customer-1.pem` and `admin-1.pem`.
    pub token_signing_keys: PathBuf,
    /// `ACCESS_TOKEN_TTL`: the validity of an access token.
    pub access_token_ttl: time::Duration,
    /// `PASSWORD_HASH_CONCURRENCY`: the number of passwords that are hashed concurrently.
    pub password_hash_concurrency: usize,
    /// `PASSWORD_HASH_TIMEOUT`: the longest wait for the hashing of a password to begin.
    pub password_hash_timeout: Duration,
    /// `PURGE_INTERVAL`: the time between two deletions of expired registrations, links, sessions and throttles.
    pub purge_interval: Duration,
    /// `SESSION_TTL`, `REFRESH_GRACE_PERIOD`, `VERIFICATION_LINK_TTL`, `RESET_LINK_TTL`, `LOGIN_THROTTLE_…`.
    pub policy: Policy,
}

impl Settings {
    /// Reads the settings and reports their faults to the reader.
    pub fn read(env: &mut SettingsReader) -> Self {
        Self {
            token_signing_keys: env
                .setting_text("TOKEN_SIGNING_KEYS", "the folder with customer-1.pem and admin-1.pem")
                .into(),
            access_token_ttl: env.setting_duration_within(
                "ACCESS_TOKEN_TTL",
                ACCESS_TOKEN_TTL_RANGE,
                tokens::ACCESS_TOKEN_TTL,
            ),
            password_hash_concurrency: env.setting_number("PASSWORD_HASH_CONCURRENCY", 1..=64, 4),
            password_hash_timeout: env.setting_duration("PASSWORD_HASH_TIMEOUT", Duration::from_secs(5)),
            purge_interval: env.setting_duration("PURGE_INTERVAL", Duration::from_mins(5)),
            policy: policy(env),
        }
    }
}

fn policy(env: &mut SettingsReader) -> Policy {
    let default = Policy::default();
    let min = Duration::from_millis(10);
    // Kafka deletes a link after the retention, so the loss of a link with a longer validity would go unnoticed.
    let retention =
        events::TOPICS.iter().find(|topic| topic.name == LINK_TOPIC).map_or(0, |topic| topic.retention_minutes);
    let link = min..=Duration::from_mins(retention.into());
    let policy = Policy {
        session: env.setting_duration("SESSION_TTL", default.session),
        grace: env.setting_duration_within("REFRESH_GRACE_PERIOD", min..=MAX_REFRESH_GRACE_PERIOD, default.grace),
        verify_link: env.setting_duration_within("VERIFICATION_LINK_TTL", link.clone(), default.verify_link),
        reset_link: env.setting_duration_within("RESET_LINK_TTL", link, default.reset_link),
        throttle: ThrottlePolicy {
            free: env.setting_number("LOGIN_THROTTLE_FREE_ATTEMPTS", 1..=10_000, default.throttle.free),
            free_per_network: env.setting_number(
                "LOGIN_THROTTLE_FREE_ATTEMPTS_PER_NETWORK",
                1..=10_000,
                default.throttle.free_per_network,
            ),
            max_delay: env.setting_duration("LOGIN_THROTTLE_MAX_DELAY", default.throttle.max_delay),
            reset_after: env.setting_duration("LOGIN_THROTTLE_RESET_AFTER", default.throttle.reset_after),
        },
    };
    if policy.throttle.reset_after < policy.throttle.max_delay {
        env.fault(
            "LOGIN_THROTTLE_RESET_AFTER",
            "expected at least LOGIN_THROTTLE_MAX_DELAY: a shorter one ends the delay",
        );
    }
    policy
}
