//! Reads and checks single settings: durations, numbers, texts, URLs and secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The longest duration of a setting: a year.
const MAX_DURATION: Duration = Duration::from_hours(365 * 24);
pub(super) const MIN_DURATION: Duration = Duration::from_millis(10);
pub(super) const UP_TO_A_DAY: RangeInclusive<Duration> = MIN_DURATION..=Duration::from_hours(24);

/// Reads settings from environment variables and collects their faults.
///
/// After a fault each function returns a placeholder, so that the others are checked too.
pub struct SettingsReader {
    pub(super) vars: BTreeMap<String, String>,
    pub(super) faults: Vec<String>,
}

/// Prints neither names nor values of variables: some are secrets.
impl fmt::Debug for SettingsReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsReader").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl SettingsReader {
    /// Returns a duration such as `15m` or `1h 30m`, from 10 ms to a year.
    pub fn setting_duration<D>(&mut self, name: &str, default: D) -> D
    where
        D: TryFrom<Duration> + TryInto<Duration> + Copy,
    {
        self.setting_duration_within(name, MIN_DURATION..=MAX_DURATION, default)
    }

    /// Returns a duration within a range.
    pub fn setting_duration_within<D>(&mut self, name: &str, range: RangeInclusive<Duration>, default: D) -> D
    where
        D: TryFrom<Duration> + TryInto<Duration> + Copy,
    {
        let usual = default.try_into().unwrap_or_default();
        D::try_from(self.duration(name, range, usual)).unwrap_or(default)
    }

    /// Returns a number within a range.
    pub fn setting_number<N>(&mut self, name: &str, range: RangeInclusive<N>, default: N) -> N
    where
        N: FromStr + PartialOrd + fmt::Display,
    {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.parsed(name, &expected, default, |number| range.contains(number))
    }

    /// Returns a required text.
    pub fn setting_text(&mut self, name: &str, expected: &str) -> String {
        self.required(name, expected, String::new())
    }

    /// Returns an optional text, or its default if the variable is missing or empty.
    pub fn setting_or(&self, name: &str, default: &str) -> String {
        self.vars.get(name).filter(|value| !value.is_empty()).map_or_else(|| default.to_owned(), Clone::clone)
    }

    /// Returns an `http` or `https` URL without a trailing slash; required if there is no default. In production it has to be
    /// `https`.
    pub fn setting_url(&mut self, name: &str, expected: &str, default: Option<&str>) -> String {
        let text = match default {
            Some(default) => self.setting_or(name, default),
            None => self.setting_text(name, expected),
        };
        let production = self.is_production();
        let schemes: &[&str] = if production { &["https"] } else { &["http", "https"] };
        let valid = text.parse::<Url>().is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host());
        if !text.is_empty() && !valid {
            let scheme =
                if production { "an https URL, because ENVIRONMENT is production" } else { "an http or https URL" };
            self.fault(name, format!("{text:?}: expected {scheme}: {expected}"));
        }
        text.trim_end_matches('/').to_owned()
    }

    /// Returns a required secret: the variable's value, or the content of the file that `NAME_FILE` names. A fault does not print it.
    pub fn setting_secret(&mut self, name: &str, expected: &str) -> SecretString {
        self.secret(name, expected, |_| true)
    }

    /// Returns required secrets that are separated by commas, such as the new and the old one during a rotation.
    pub fn setting_secrets(&mut self, name: &str, expected: &str) -> Vec<SecretString> {
        let all = self.setting_secret(name, expected);
        let secrets = all.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
        let secrets: Vec<SecretString> = secrets.map(SecretString::from).collect();
        if secrets.is_empty() && !all.expose_secret().is_empty() {
            self.fault(name, format!("has no secret in it: expected {expected}"));
        }
        secrets
    }

    /// Returns whether `ENVIRONMENT` is `production`, where stand-ins for real providers are rejected. The default is
    /// `development`.
    pub fn is_production(&mut self) -> bool {
        let environment = self.setting_or("ENVIRONMENT", "development");
        if !["development", "production"].contains(&environment.as_str()) {
            self.fault("ENVIRONMENT", format!("{environment:?}: expected development or production"));
        }
        // An unknown environment is treated as production, so that it allows nothing.
        environment != "development"
    }

    /// Adds a fault of a setting that its type alone does not show.
    pub fn fault(&mut self, name: &str, fault: impl fmt::Display) {
        let fault = format!("{name}: {fault}");
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    pub(super) fn required<T: FromStr>(&mut self, name: &str, expected: &str, placeholder: T) -> T {
        match self.vars.get(name).filter(|value| !value.is_empty()).map(|value| value.parse()) {
            Some(Ok(value)) => return value,
            Some(Err(_)) => self.fault(name, format!("{:?}: expected {expected}", self.vars[name])),
            None => self.fault(name, format!("is missing: expected {expected}")),
        }
        placeholder
    }

    pub(super) fn parsed<T: FromStr>(
        &mut self,
        name: &str,
        expected: &str,
        default: T,
        valid: impl Fn(&T) -> bool,
    ) -> T {
        let Some(text) = self.vars.get(name) else { return default };
        match text.parse() {
            Ok(value) if valid(&value) => value,
            _ => {
                self.fault(name, format!("{text:?}: expected {expected}"));
                default
            }
        }
    }

    pub(super) fn duration(&mut self, name: &str, range: RangeInclusive<Duration>, default: Duration) -> Duration {
        let Some(text) = self.vars.get(name) else { return default };
        match humantime::parse_duration(text) {
            Ok(duration) if range.contains(&duration) => duration,
            _ => {
                let (least, most) =
                    (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
                self.fault(name, format!("{text:?}: expected a duration such as 15m or 10s, from {least} to {most}"));
                default
            }
        }
    }

    pub(super) fn secret(&mut self, name: &str, expected: &str, valid: impl Fn(&str) -> bool) -> SecretString {
        let file = format!("{name}_FILE");
        let [value, path] = [name, &file].map(|name| self.vars.remove(name).unwrap_or_default().trim().to_owned());
        let value = match (value.is_empty(), path.is_empty()) {
            (_, true) => value,
            (true, false) => match std::fs::read_to_string(&path) {
                Ok(text) => text.trim().to_owned(),
                Err(error) => {
                    self.fault(&file, format!("{path:?} can't be read: {error}"));
                    return String::new().into();
                }
            },
            (false, false) => {
                self.fault(name, format!("is given twice: remove {name} or {file}"));
                return String::new().into();
            }
        };
        if value.is_empty() {
            self.fault(name, format!("is missing: expected {expected}"));
        } else if !valid(&value) {
            self.fault(name, format!("(not shown): expected {expected}"));
        }
        value.into()
    }
}
