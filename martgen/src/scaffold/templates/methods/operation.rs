//! The methods of an operation that templates call.

use super::camel_json;
use crate::contract::model::Body;
use crate::scaffold::Op;

impl Op {
    /// Returns the body of a request with a resource that a function of this name returns.
    pub(crate) fn wrapped(&self, function: &str) -> String {
        match &self.body {
            Body::Field { .. } => format!("{function}()"),
            _ => format!("json!({{ \"{}\": {function}() }})", camel_json(&self.sent)),
        }
    }

    /// Returns the body of a request with the resource in a variable of this name.
    pub(crate) fn wrapped_value(&self, variable: &str) -> String {
        match &self.body {
            Body::Field { .. } => variable.to_owned(),
            _ => format!("json!({{ \"{}\": {variable} }})", camel_json(&self.sent)),
        }
    }

    pub(crate) fn answered_json(&self) -> String {
        camel_json(&self.answered)
    }

    /// Returns the path with `{id}` as its variable.
    pub(crate) fn path_of(&self) -> String {
        match (self.path.find('{'), self.path.find('}')) {
            (Some(open), Some(close)) => format!("{}{{id}}{}", &self.path[..open], &self.path[close + 1..]),
            _ => self.path.clone(),
        }
    }

    pub(crate) fn verb_upper(&self) -> String {
        self.verb.to_uppercase()
    }

    pub(crate) fn role_text(&self) -> String {
        self.role.as_ref().map_or_else(|| "None".to_owned(), |role| format!("Some({role:?})"))
    }

    /// Returns the caller of the operation in a scenario: a role, or a visitor if it is public.
    pub(crate) fn who(&self) -> &str {
        self.role.as_deref().unwrap_or("visitor")
    }
}
