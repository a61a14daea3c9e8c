//! Compiles the digest of the templates into the program, so that it can detect that a tree has other templates.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=../template");
    println!("cargo:rerun-if-changed=src/digest.rs");
    println!("cargo:rustc-env=MARTGEN_TEMPLATES={}", digest::folder(Path::new("../template"))?);
    Ok(())
}

#[path = "src/digest.rs"]
mod digest;
