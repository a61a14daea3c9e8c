//! The output of a part: a log file, printed live or when the part has finished.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::{process, root};
use tokio::process::Command;

/// The interval of checks for new lines of a followed log.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub(super) struct Log(PathBuf);

/// Returns the folder of this run's logs. Concurrent runs in one clone, such as those that a test starts, have their own.
pub(super) fn folder() -> PathBuf {
    root().join(format!("target/test/{}", std::process::id()))
}

impl Log {
    /// Creates the empty log of a part.
    pub(super) fn new(part: &str) -> Result<Self> {
        let folder = folder();
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{part}.log"));
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }

    fn file(&self) -> Result<File> {
        Ok(OpenOptions::new().append(true).open(&self.0)?)
    }

    pub(super) fn write_line(&self, line: &str) -> Result<()> {
        Ok(writeln!(self.file()?, "{line}")?)
    }

    /// Runs a command to its end, with its output in this log.
    pub(super) async fn run(&self, command: &mut Command) -> Result<ExitStatus> {
        process::run_logged(command, &self.file()?).await
    }

    /// Returns the current length in bytes.
    pub(super) fn length(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.0)?.len())
    }

    /// Returns the text from a position in bytes on.
    pub(super) fn since(&self, start: u64) -> Result<String> {
        let mut file = File::open(&self.0)?;
        file.seek(SeekFrom::Start(start))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs `work` and prints the new lines meanwhile.
    pub(super) async fn follow<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut printed = 0;
        let mut print = || -> Result<()> {
            let text = self.since(printed)?;
            // Whole lines only, so that no UTF-8 sequence is cut.
            let end = text.rfind('\n').map_or(0, |end| end + 1);
            printed += u64::try_from(end)?;
            if end > 0 {
                devstack::print_line(&text[..end - 1]);
            }
            Ok(())
        };
        tokio::pin!(work);
        let output = loop {
            tokio::select! {
                output = &mut work => break output,
                () = tokio::time::sleep(POLL_INTERVAL) => print()?,
            }
        };
        print()?;
        Ok(output)
    }
}
