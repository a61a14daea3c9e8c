//! Tests that settings have defaults and bounds, report all faults at once and print no secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Config, SettingsReader};

fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const GOOD: [(&str, &str); 8] = [
    ("HTTP_ADDR", "127.0.0.1:1"),
    ("INTERNAL_ADDR", "127.0.0.1:2"),
    ("DATABASE_URL", "postgres://app:hush-database@localhost/db"),
    ("KAFKA_BROKERS", "localhost:9092"),
    ("TOKEN_KEYS", "keys.json"),
    ("TOKEN_ISSUER", "mart"),
    ("TOKEN_AUDIENCE", "mart"),
    ("PAGE_TOKEN_SECRET", "hush-page-hush-page-hush-page-hush"),
];

#[test]
fn all_faults_are_reported_at_once_without_secrets() {
    let bad = [
        ("HTTP_ADDR", "nowhere"),
        ("PAGE_TOKEN_SECRET", "hush"),
        ("HTTP_TIMEOUT", "10"),
        ("TOPIC_PREFIX", "a b"),
        ("RUST_LOG", "mart=loud"),
        ("HOLD", "soon"),
        ("SHELF_KEYS", ", ,"),
        ("ENVIRONMENT", "prod"),
    ];
    let own = |env: &mut SettingsReader| {
        env.setting_duration("HOLD", Duration::from_secs(7));
        env.setting_secrets("SHELF_KEYS", "keys");
        assert!(env.is_production(), "an unknown environment allows nothing");
    };
    let error = Config::from_vars("shelf", vars(&bad), own).expect_err("nearly all are invalid").to_string();
    for name in [
        "HTTP_ADDR",
        "INTERNAL_ADDR",
        "DATABASE_URL",
        "KAFKA_BROKERS",
        "TOKEN_KEYS",
        "TOKEN_ISSUER",
        "TOKEN_AUDIENCE",
        "PAGE_TOKEN_SECRET",
        "HTTP_TIMEOUT",
        "TOPIC_PREFIX",
        "RUST_LOG",
        "HOLD",
        "SHELF_KEYS",
        "ENVIRONMENT",
    ] {
        assert!(error.contains(&format!("\n  {name}: ")), "{name} in {error}");
    }
    assert!(error.contains("14 settings are invalid"), "{error}");
    assert!(!error.contains("hush"), "{error}");
}

#[test]
fn secrets_are_not_printed() {
    let own = |env: &mut SettingsReader| {
        assert!(env.vars.values().all(|value| !value.contains("hush")), "a shared secret is readable");
        (env.setting_secret("SHELF_KEY", "a key"), format!("{env:?}"))
    };
    let mut all = GOOD.to_vec();
    all.push(("SHELF_KEY", "quiet"));
    let (config, (secret, reader)) = Config::from_vars("shelf", vars(&all), own).expect("valid");
    let printed = format!("{config:?} {secret:?} {reader}");
    assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
}

#[test]
fn settings_have_defaults_and_bounds() {
    let mut all = GOOD.to_vec();
    all.extend([("HTTP_TIMEOUT", "500ms"), ("HTTP_MAX_BODY_BYTES", "10"), ("RUST_LOG", "warn,mart_chassis=debug")]);
    let (config, ()) = Config::from_vars("shelf", vars(&all), |_| ()).expect("valid");
    assert_eq!((config.limits.timeout, config.limits.body_bytes), (Duration::from_millis(500), 10));
    assert_eq!((config.database_max_connections, config.shutdown_grace_period), (16, Duration::from_secs(20)));
}

#[test]
fn own_settings_are_typed() {
    let mut all = GOOD.to_vec();
    all.extend([("HOLD", "1h 30m"), ("COUNT", "90"), ("KEYS", "new, old"), ("NAME", "")]);
    let own = |env: &mut SettingsReader| {
        assert_eq!(env.setting_duration("HOLD", time::Duration::SECOND), time::Duration::minutes(90));
        assert_eq!(env.setting_duration("MISSING", Duration::from_secs(7)), Duration::from_secs(7));
        assert_eq!((env.setting_number("COUNT", 1..=90, 7), env.setting_number("MISSING", 1..=90, 7)), (90, 7));
        assert_eq!(env.setting_secrets("KEYS", "keys").len(), 2);
        assert_eq!(env.setting_or("NAME", "mart"), "mart");
        assert!(!env.is_production());
    };
    Config::from_vars("shelf", vars(&all), own).expect("valid");
    let number = |env: &mut SettingsReader| env.setting_number("COUNT", 1..=89, 7);
    let error = Config::from_vars("shelf", vars(&all), number).expect_err("too large").to_string();
    assert!(error.contains("COUNT: \"90\": expected a number from 1 to 89"), "{error}");
    let duration = |env: &mut SettingsReader| {
        env.setting_duration_within("HOLD", Duration::from_secs(1)..=Duration::from_hours(1), Duration::from_secs(7))
    };
    let error = Config::from_vars("shelf", vars(&all), duration).expect_err("too long").to_string();
    assert!(error.contains("HOLD: \"1h 30m\": expected a duration such as 15m or 10s, from 1s to 1h"), "{error}");
}

#[test]
fn urls_are_http_and_https_only_in_production() {
    let read = |environment: &str, url: &str| {
        let mut all = GOOD.to_vec();
        all.extend([("ENVIRONMENT", environment), ("SHOP_URL", url)]);
        let own = |env: &mut SettingsReader| env.setting_url("SHOP_URL", "the shop", None);
        Config::from_vars("shelf", vars(&all), own).map(|(_, url)| url).map_err(|error| error.to_string())
    };
    assert_eq!(read("development", "http://shop.example/").as_deref(), Ok("http://shop.example"));
    assert_eq!(read("production", "https://shop.example").as_deref(), Ok("https://shop.example"));
    for url in ["", "shop.example", "ftp://shop.example", "javascript:alert(1)"] {
        assert!(read("development", url).is_err_and(|error| error.contains("SHOP_URL")), "{url}");
    }
    assert!(read("production", "http://shop.example").is_err_and(|error| error.contains("https")));
}

#[test]
fn a_secret_can_be_in_a_file() {
    let folder = std::env::temp_dir().join(format!("mart-secrets-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("shelf").display().to_string();
    std::fs::write(&path, "quiet\n").expect("written");
    let missing = folder.join("missing").display().to_string();
    let read = |more: &[(&str, &str)]| {
        let all = vars(&[&GOOD[..], more].concat());
        let secret = |env: &mut SettingsReader| env.setting_secret("SHELF_KEY", "a key").expose_secret().to_owned();
        Config::from_vars("shelf", all, secret).map(|(_, secret)| secret).map_err(|error| error.to_string())
    };
    assert_eq!(read(&[("SHELF_KEY_FILE", &path)]).as_deref(), Ok("quiet"));
    assert_eq!(read(&[("SHELF_KEY", ""), ("SHELF_KEY_FILE", &path)]).as_deref(), Ok("quiet"));
    let error = read(&[("SHELF_KEY", "hush"), ("SHELF_KEY_FILE", &path)]).expect_err("which one counts is unclear");
    assert!(
        error.contains("SHELF_KEY: is given twice: remove SHELF_KEY or SHELF_KEY_FILE") && !error.contains("hush"),
        "{error}"
    );
    let error = read(&[("SHELF_KEY_FILE", &missing)]).expect_err("there is no file");
    assert!(error.contains("SHELF_KEY_FILE: ") && error.contains("can't be read: No such file"), "{error}");
    std::fs::remove_dir_all(folder).expect("deleted");
}
