//! Compiles every contract below this folder: messages, their field rules, and the descriptors that JSON is read by.

use std::error::Error;
use std::path::{Path, PathBuf};

use prost::Message;
use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=mart");
    println!("cargo:rerun-if-changed=google");

    let mut resolver = ChainFileResolver::new();
    resolver.add(IncludeFileResolver::new(PathBuf::from(".")));
    let rules = prost_protovalidate_types::DESCRIPTOR_POOL.encode_to_vec();
    resolver.add(DescriptorSetFileResolver::decode(rules.as_slice())?);
    resolver.add(GoogleFileResolver::new());

    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    for contract in contracts(Path::new("mart"))? {
        // Only the debug form of protox's errors names the line.
        compiler.open_file(&contract).map_err(|error| format!("{error:?}"))?;
    }
    // The set has to be encoded by protox: decoded into prost's types it would lose every custom option.
    let descriptors = compiler.encode_file_descriptor_set();
    std::fs::write(out.join("descriptors.bin"), &descriptors)?;

    let mut messages = compiler.file_descriptor_set();
    messages.file.retain(|file| !matches!(file.package(), "google.api" | "buf.validate"));
    prost_build::Config::new().enable_type_names().include_file("messages.rs").compile_fds(messages)?;

    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(descriptors)
        .fail_on_runtime_only(true)
        .compile()?;
    Ok(())
}

fn contracts(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contracts(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
