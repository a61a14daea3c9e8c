//! The methods that templates call on their parameters.

mod operation;
mod resource;
mod scaffold;

use crate::contract::names;

pub(super) use resource::published;

/// Returns a field's name in protobuf's JSON form.
pub(super) fn camel_json(name: &str) -> String {
    let mut json = String::new();
    let mut upper = false;
    for c in names::bare(name).chars() {
        if c == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            json.extend(c.to_uppercase());
        } else {
            json.push(c);
        }
    }
    json
}
