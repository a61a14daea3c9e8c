//! The JSON form of messages: the protobuf mapping, with zero values written out and unknown members refused by name.

use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

/// A JSON value that is not the message it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Unreadable {
    /// The place in the value, such as `lines[1].quantity`; empty for the value itself.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

/// Reads a message out of a JSON value.
pub fn read(descriptor: MessageDescriptor, value: &serde_json::Value) -> Result<DynamicMessage, Unreadable> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor, tracked, &options).map_err(|error| {
        let path = track.path().to_string();
        unreadable(if path == "." { "" } else { &path }, &error.to_string())
    })
}

/// The reader's path ends at the message that has no such member; the member's name is in its text only.
fn unreadable(path: &str, problem: &str) -> Unreadable {
    let unknown = problem.strip_prefix("unrecognized field name '").and_then(|rest| rest.split('\'').next());
    match unknown {
        None => Unreadable { path: path.to_owned(), problem: problem.to_owned() },
        Some(name) => {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            Unreadable { path, problem: "there is no such member".to_owned() }
        }
    }
}

/// Writes a message as JSON: lowerCamelCase members, zero values included, times in RFC 3339 with `Z`.
pub fn write(message: &DynamicMessage) -> Vec<u8> {
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = serde_json::Serializer::new(Vec::with_capacity(512));
    match message.serialize_with_options(&mut json, &options) {
        Ok(()) => json.into_inner(),
        // Only a timestamp or a duration out of range has no JSON form, and the cores make none.
        Err(_) => b"null".to_vec(),
    }
}
