"""Clones of this repository for tests, and their running marts.

A clone has the tracked files of the working tree, uncommitted changes included. It shares the fetched tools. It starts with a copy of
the build, which cargo accepts because equal files have equal modification times.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
CLONES = ROOT / ".mart" / "clones"
BEGUN = time.monotonic()


def git(*words, cwd=ROOT):
    # Git requires an identity for commits, which a new machine and CI do not have.
    identity = {f"GIT_{role}_{part}": "mart" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *words], cwd=cwd, env={**os.environ, **identity}, capture_output=True, text=True)
    if done.returncode:
        fail(f"git {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def make(name):
    """Returns a clone without data. A clone of the same tree is reused with its build; any other one is deleted first."""
    folder = CLONES / name
    for pid in processes(folder):
        os.kill(pid, signal.SIGKILL)
    changed = git("stash", "create") or "HEAD"
    tree = git("rev-parse", f"{changed}^{{tree}}")
    if not (folder / ".git").exists() or git("rev-parse", "HEAD^{tree}", cwd=folder) != tree or git("status", "-s", cwd=folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Like root's home: tests that PostgreSQL, which runs as another user, can still reach its data.
        folder.parent.chmod(0o700)
        git("clone", "--quiet", str(ROOT), str(folder))
        git("fetch", "--quiet", str(ROOT), git("rev-parse", changed), cwd=folder)
        git("checkout", "--quiet", "FETCH_HEAD", cwd=folder)
        copy_times(folder)
        copy_build(TARGET / "debug", folder / "target" / "debug")
    shutil.rmtree(folder / ".mart", ignore_errors=True)
    (folder / ".mart").mkdir()
    parts = ROOT / ".mart" / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    (folder / ".mart" / "parts").symlink_to(parts)
    return folder


def second(first, name):
    """Returns a second clone with the build of the first."""
    folder = CLONES / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(first, folder, symlinks=True, ignore=shutil.ignore_patterns(".mart", "incremental"), copy_function=place)
    (folder / ".mart").mkdir()
    (folder / ".mart" / "parts").symlink_to(ROOT / ".mart" / "parts")
    return folder


def copy_times(folder):
    """Sets the modification times of a clone's files and folders to those of this repository, so that cargo does not rebuild them."""
    for name in git("ls-files", cwd=folder).splitlines():
        for path in (pathlib.PurePath(name), *pathlib.PurePath(name).parents):
            here = ROOT / path
            if here.exists():
                status = here.lstat()
                os.utime(folder / path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def copy_build(source, target):
    """Copies cargo's build folder. Clones must not share one, because cargo would compare the sources of the clone that built last."""
    if source.exists():
        ignored = shutil.ignore_patterns("incremental", "examples", ".cargo-lock")
        shutil.copytree(source, target, symlinks=True, ignore=ignored, copy_function=place)


def place(source, target):
    """Copies a file. Libraries and programs are hard links, because they are large; the compiler replaces them and never modifies
    them."""
    path = pathlib.Path(source)
    if path.suffix in (".rlib", ".rmeta", ".so") or not path.suffix and path.parent.name in ("deps", "debug"):
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)


def environment(folder):
    """Returns the environment of commands in a clone. A clone builds in its own folder; this repository respects CARGO_TARGET_DIR."""
    removed = ("MART_ROOT",) if folder == ROOT else ("MART_ROOT", "CARGO_TARGET_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return {**kept, "CI": "true"}


def processes(folder):
    """Returns the processes of a clone: its folder is in their command line, or is their working directory."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            cwd = os.readlink(entry / "cwd")
        except OSError:
            continue
        if f"{folder}/" in command or cwd == str(folder) or cwd.startswith(f"{folder}/"):
            found.append(int(entry.name))
    return found


class Mart:
    """A running `./mart up` in its own process group, as in a terminal."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.log = folder / ".mart" / "up.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", "./mart", "up", *words], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def output(self):
        return self.log.read_text(errors="replace")

    def ready(self, within=600):
        deadline = time.monotonic() + within
        while "The mart is ready" not in self.output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                fail(f"./mart up did not become ready:\n{self.output()}")
            time.sleep(0.1)
        return self

    def interrupt(self):
        """Sends SIGINT to the whole process group, as Ctrl-C does."""
        try:
            os.killpg(self.process.pid, signal.SIGINT)
        except ProcessLookupError:
            pass

    def ended(self, within=240):
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            fail(f"./mart up did not end:\n{self.output()}")

    def stop(self):
        """Stops the mart, after a check of the invariants."""
        if self.process.poll() is None:
            expect("all invariants hold at the end", "all invariants hold" in run(self.folder, "./mart", "invariants"))
        self.interrupt()
        self.ended()


def run(folder, *words, success=True):
    """Runs a command in a clone and returns its output. Fails unless the command succeeds, or fails with `success=False`, within 20
    minutes. `success=None` accepts both."""
    done = subprocess.run(words, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=1200)
    output = done.stdout + done.stderr
    if success is not None and (done.returncode == 0) != success:
        fail(f"{' '.join(words)} ended with {done.returncode}:\n{output}")
    return output


def expect(what, condition, details=""):
    """Prints a fulfilled expectation, or fails with the details."""
    if not condition:
        fail(f"{what}\n{details}")
    log(f"  {what}")


def log(text):
    """Prints a line with the seconds since the script began."""
    print(f"{time.monotonic() - BEGUN:6.1f} s  {text}", flush=True)


def fail(text):
    """Prints an error, kills the processes of all clones and exits."""
    print(f"FAILED: {text}", file=sys.stderr)
    for folder in CLONES.iterdir() if CLONES.exists() else []:
        for pid in processes(folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    sys.exit(1)
