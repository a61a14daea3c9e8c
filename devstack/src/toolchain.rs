//! Fetches the private servers and tools, for asynchronous callers.

use std::path::PathBuf;

use anyhow::Result;
use futures::future::try_join_all;
use tokio::sync::oneshot;

pub use ::toolchain::{SERVERS, Tool};

/// Fetches a tool if it is missing, and returns the path of its program; see [`Tool::get`].
pub async fn get(tool: Tool) -> Result<PathBuf> {
    let (done, got) = oneshot::channel();
    // A detached thread: after an interruption, the process ends at once, and the fetch with it.
    std::thread::spawn(move || done.send(tool.get()));
    got.await?
}

/// Fetches several tools concurrently.
pub async fn get_all(tools: impl IntoIterator<Item = Tool>) -> Result<()> {
    try_join_all(tools.into_iter().map(get)).await?;
    Ok(())
}
