//! The consumer, and the two ways of writing, under faults.

mod consumer;
mod disconnects;
mod fixture;
mod logs;
