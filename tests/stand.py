"""A clone of this repository to try things in, and its ./mart under a terminal's rules.

The clone is made of what git has of the working tree. It shares the fetched tools and begins with a copy of everything that was
built, which cargo takes as its own: files that are the same have the same times.
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
BEGAN = time.monotonic()


def git(*words, cwd=ROOT):
    # A machine of a newcomer, or of CI, knows nobody by whose name it could commit.
    who = {f"GIT_{role}_{what}": "mart" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", *words], cwd=cwd, env={**os.environ, **who}, capture_output=True, text=True)
    if done.returncode:
        fail(f"git {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


def make(name):
    """A clone with no state. One of the same tree is kept with what it has built; another one is taken away."""
    folder = CLONES / name
    for pid in processes(folder):
        os.kill(pid, signal.SIGKILL)
    changed = git("stash", "create") or "HEAD"
    tree = git("rev-parse", f"{changed}^{{tree}}")
    if not (folder / ".git").exists() or git("rev-parse", "HEAD^{tree}", cwd=folder) != tree or git("status", "-s", cwd=folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # As root's home is: PostgreSQL runs as another user and has to get through.
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
    """A clone beside another one, with its build."""
    folder = CLONES / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(first, folder, symlinks=True, ignore=shutil.ignore_patterns(".mart", "incremental"), copy_function=place)
    (folder / ".mart").mkdir()
    (folder / ".mart" / "parts").symlink_to(ROOT / ".mart" / "parts")
    return folder


def copy_times(folder):
    """Gives files and folders of a clone the times that they have here: cargo builds again what is newer than its build."""
    for name in git("ls-files", cwd=folder).splitlines():
        for path in (pathlib.PurePath(name), *pathlib.PurePath(name).parents):
            here = ROOT / path
            if here.exists():
                status = here.lstat()
                os.utime(folder / path, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def copy_build(source, target):
    """Copies what cargo has built. A build folder must not be shared by clones: cargo would look at the files of the one that
    built last to see whether the other one's have changed."""
    if source.exists():
        left_out = shutil.ignore_patterns("incremental", "examples", ".cargo-lock")
        shutil.copytree(source, target, symlinks=True, ignore=left_out, copy_function=place)


def place(source, target):
    """Copies a file, or links it where it is a library or a program: those are gigabytes, and the compiler replaces one, never writes
    into it."""
    path = pathlib.Path(source)
    if path.suffix in (".rlib", ".rmeta", ".so") or not path.suffix and path.parent.name in ("deps", "debug"):
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copy2(source, target)


def environment(folder):
    """A clone builds below itself; this repository wherever it is told to."""
    ours = ("MART_ROOT",) if folder == ROOT else ("MART_ROOT", "CARGO_TARGET_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "CI": "true"}


def processes(folder):
    """Processes that work in a clone: their command line names it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            stands = os.readlink(entry / "cwd")
        except OSError:
            continue
        if f"{folder}/" in words or stands == str(folder) or stands.startswith(f"{folder}/"):
            found.append(int(entry.name))
    return found


class Mart:
    """A `./mart up` that is running, in a process group of its own as at a terminal."""

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
                fail(f"./mart up did not come up:\n{self.output()}")
            time.sleep(0.1)
        return self

    def interrupt(self):
        """Ctrl-C: the whole foreground group gets it."""
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
        """Stops what still runs, after a last look at whether money, stock and orders agree."""
        if self.process.poll() is None:
            expect("all invariants hold at the end", "all invariants hold" in run(self.folder, "./mart", "invariants"))
        self.interrupt()
        self.ended()


def run(folder, *words, good=True):
    """Runs a command in a clone; fails unless it ends as expected, or however it likes for None, within 20 minutes."""
    done = subprocess.run(words, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=1200)
    told = done.stdout + done.stderr
    if good is not None and (done.returncode == 0) != good:
        fail(f"{' '.join(words)} ended with {done.returncode}:\n{told}")
    return told


def expect(what, condition, told=""):
    if not condition:
        fail(f"{what}\n{told}")
    say(f"  {what}")


def say(text):
    """Prints a line, with the seconds since the script began."""
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def fail(text):
    print(f"FAILED: {text}", file=sys.stderr)
    for folder in CLONES.iterdir() if CLONES.exists() else []:
        for pid in processes(folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    sys.exit(1)
