//! The program on copies of this repository's contracts: what it writes, refuses and tells.

mod against;
mod contracts;
mod copy;
mod services;
mod writing;
