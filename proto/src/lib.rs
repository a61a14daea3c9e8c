//! The contracts: prost messages, their JSON mapping and their field rules.
include!(concat!(env!("OUT_DIR"), "/messages.rs"));
include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
