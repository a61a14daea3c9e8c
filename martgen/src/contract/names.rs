//! The names in Rust that prost derives from the names in a contract.

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Keywords of any edition of Rust.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut",
    "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
    "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that have no raw form `r#name`.
const NEVER: &[&str] = &["_", "super", "self", "Self", "extern", "crate"];

/// Returns a valid Rust identifier for a name.
fn sanitized(name: String) -> String {
    if NEVER.contains(&name.as_str()) {
        format!("{name}_")
    } else if KEYWORDS.contains(&name.as_str()) {
        format!("r#{name}")
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}

/// Returns the name of a field, a module or a method.
pub(crate) fn snake(name: &str) -> String {
    sanitized(name.to_snake_case())
}

/// Returns the name of a type.
pub(crate) fn camel(name: &str) -> String {
    sanitized(name.to_upper_camel_case())
}

/// Returns the name of a constant.
pub(crate) fn constant(name: &str) -> String {
    heck::ToShoutySnakeCase::to_shouty_snake_case(name)
}

/// Returns the name of a variant of an enum.
pub(crate) fn variant(of: &str, name: &str) -> String {
    let (prefix, name) = (of.to_upper_camel_case(), name.to_upper_camel_case());
    let stripped = name.strip_prefix(&prefix).filter(|rest| rest.starts_with(char::is_uppercase));
    sanitized(stripped.unwrap_or(&name).to_owned())
}

/// Returns a name without `r#`, to be used within another name.
pub(crate) fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Returns a package as a Rust path without its first part: `mart.type.v1` is `r#type::v1`.
pub(crate) fn module(package: &str) -> String {
    package.split('.').skip(1).map(snake).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_equal_those_of_prost() {
        assert_eq!(snake("productID"), "product_id");
        assert_eq!(snake("type"), "r#type");
        assert_eq!(snake("self"), "self_");
        assert_eq!(camel("GetURL"), "GetUrl");
        assert_eq!(camel("Self"), "Self_");
        assert_eq!(variant("ProductStatus", "PRODUCT_STATUS_DRAFT"), "Draft");
        assert_eq!(variant("Size", "SIZE_2XL"), "Size2xl");
        assert_eq!(variant("Reason", "REASON_SELF"), "Self_");
        assert_eq!(module("mart.type.v1"), "r#type::v1");
    }
}
