//! Maps the core's values to the contract's messages.

use mart_chassis::auth::PublicKey;
use mart_chassis::convert::time;
use mart_proto::r#type::v1 as types;
use mart_proto::user::v1;
use user_core::domain::events::SentLink;
use user_core::domain::{Address, Profile, Role, User};

pub(crate) fn user(user: &User) -> v1::User {
    // The password hash is never published. `verified` is omitted, because every visible user is verified.
    let User { id, version, email, role, password: _, profile, verified: _, disabled, created_at, updated_at } = user;
    let Profile { name, locale, time_zone, phone } = profile.clone();
    let role = match role {
        Role::Customer => v1::Role::Customer,
        Role::Admin => v1::Role::Admin,
    };
    v1::User {
        user_id: id.0.to_string(),
        email: email.to_string(),
        role: role.into(),
        name,
        locale,
        time_zone,
        phone,
        disabled: *disabled,
        create_time: Some(time(*created_at)),
        update_time: Some(time(*updated_at)),
        etag: version.to_string(),
    }
}

pub(crate) fn link(link: &SentLink) -> v1::Link {
    let SentLink { id, email, name, locale, token, expires_at } = link;
    v1::Link {
        link_id: id.to_string(),
        email: email.to_string(),
        name: name.clone(),
        locale: locale.clone(),
        token: token.0.clone(),
        expire_time: Some(time(*expires_at)),
    }
}

pub(crate) fn saved_address(label: String, address: Address) -> v1::SavedAddress {
    let Address { recipient, lines, city, postal_code, country_code } = address;
    let address = types::Address { recipient, lines, city, postal_code, country_code };
    v1::SavedAddress { label, address: Some(address) }
}

pub(crate) fn address(address: types::Address) -> Address {
    let types::Address { recipient, lines, city, postal_code, country_code } = address;
    Address { recipient, lines, city, postal_code, country_code }
}

pub(crate) fn key(key: PublicKey) -> v1::Key {
    let PublicKey { kid, kty, alg, crv, x, y, roles } = key;
    v1::Key { kid, kty, r#use: "sig".to_owned(), alg, crv, x, y, roles }
}
