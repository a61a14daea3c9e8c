//! Tests of the program on copies of this repository: the files that it writes, its refusals and its output.

mod against;
mod contracts;
mod copy;
mod services;
mod writing;
