//! Compiles every contract of this folder: messages, their field rules, and the descriptors for the JSON form.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use protox::Compiler;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver, GoogleFileResolver};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed=mart");
    println!("cargo:rerun-if-changed=google");
    println!("cargo:rerun-if-changed=../tools/protoc");

    let mut resolver = ChainFileResolver::new();
    resolver.add(Contracts);
    // Must come before the descriptor set of the rules' crate: the protoc of the PATH made that one, and the descriptor.proto of an
    // old protoc lacks options.
    resolver.add(GoogleFileResolver::new());
    let rules = prost_protovalidate_types::DESCRIPTOR_POOL.encode_to_vec();
    resolver.add(DescriptorSetFileResolver::decode(rules.as_slice())?);

    let mut compiler = Compiler::with_file_resolver(resolver);
    // Without comments and positions, which would be most of the set that every service holds in memory.
    compiler.include_imports(true);
    for contract in contracts(Path::new("mart"))? {
        // Only the debug form of protox's errors names the line.
        compiler.open_file(&contract).map_err(|error| format!("{error:?}"))?;
    }
    // protox itself must encode the set: decoded into prost's types, it would lose every custom option.
    let descriptors = compiler.encode_file_descriptor_set();
    std::fs::write(out.join("descriptors.bin"), &descriptors)?;

    let mut messages = compiler.file_descriptor_set();
    messages.file.retain(|file| !matches!(file.package(), "google.api" | "buf.validate"));
    let ours: Vec<(String, String)> = messages
        .file
        .iter()
        .filter(|file| file.package().starts_with("mart."))
        .flat_map(|file| file.message_type.iter().map(|message| (file.package().to_owned(), message.name().to_owned())))
        .collect();
    prost_build::Config::new().enable_type_names().include_file("proto.rs").compile_fds(messages)?;

    prost_protovalidate_build::Builder::new()
        .file_descriptor_set_bytes(descriptors)
        .fail_on_runtime_only(true)
        .compile()?;
    complete_rules(&out, &ours)
}

/// The contracts of this folder. Skips the byte-order mark that some editors write.
struct Contracts;

impl FileResolver for Contracts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match std::fs::read_to_string(name) {
            Ok(text) => File::from_source(name, text.strip_prefix('\u{feff}').unwrap_or(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(protox::Error::file_not_found(name)),
            Err(error) => Err(protox::Error::new(format!("{name}: {error}"))),
        }
    }
}

/// prost-protovalidate-build implements nothing for a message without rules, but every message of the mart needs an implementation.
fn complete_rules(out: &Path, messages: &[(String, String)]) -> Result<(), Box<dyn Error>> {
    let path = out.join("validate_impl.rs");
    let mut rules = std::fs::read_to_string(&path)?;
    for (package, message) in messages {
        let target = format!("{}::{message}", package.replace('.', "::").replace("::type::", "::r#type::"));
        if !rules.contains(&format!("for {target} ")) {
            write!(
                rules,
                "impl ::prost_protovalidate::Validate for {target} {{\n    \
                 fn validate(&self) -> Result<(), ::prost_protovalidate::ValidationError> {{\n        Ok(())\n    }}\n}}\n"
            )?;
        }
    }
    std::fs::write(path, rules)?;
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
