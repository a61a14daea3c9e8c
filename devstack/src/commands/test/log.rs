//! What a part says: a file, shown while it grows or when the part has ended.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::{process, root};
use tokio::process::Command;

/// Between two looks at a log that is followed.
const TICK: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub(super) struct Log(PathBuf);

/// The logs of this run: another one of the same clone, such as a test's own, has others.
pub(super) fn folder() -> PathBuf {
    root().join(format!("target/test/{}", std::process::id()))
}

impl Log {
    /// An empty one.
    pub(super) fn new(part: &str) -> Result<Self> {
        let folder = folder();
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{part}.log"));
        File::create(&path).with_context(|| format!("{} can't be written", path.display()))?;
        Ok(Self(path))
    }

    fn file(&self) -> Result<File> {
        Ok(OpenOptions::new().append(true).open(&self.0)?)
    }

    pub(super) fn say(&self, line: &str) -> Result<()> {
        Ok(writeln!(self.file()?, "{line}")?)
    }

    /// Runs a command to its end, with all that it says in this log.
    pub(super) async fn run(&self, command: &mut Command) -> Result<ExitStatus> {
        process::logged(command, &self.file()?).await
    }

    /// How long it is so far.
    pub(super) fn length(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.0)?.len())
    }

    /// What it says from a place on.
    pub(super) fn since(&self, start: u64) -> Result<String> {
        let mut file = File::open(&self.0)?;
        file.seek(SeekFrom::Start(start))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Does some work and meanwhile shows what comes.
    pub(super) async fn shown<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut shown = 0;
        let mut print = || -> Result<()> {
            let text = self.since(shown)?;
            // Whole lines, so that no letter is cut.
            let end = text.rfind('\n').map_or(0, |end| end + 1);
            shown += u64::try_from(end)?;
            if end > 0 {
                devstack::print_line(&text[..end - 1]);
            }
            Ok(())
        };
        tokio::pin!(work);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                () = tokio::time::sleep(TICK) => print()?,
            }
        };
        print()?;
        Ok(done)
    }
}
