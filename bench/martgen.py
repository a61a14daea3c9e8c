"""Benchmarks martgen's release build as whole processes, beside tools with similar tasks on the same files.

    python3 bench/martgen.py [--smoke]

Each figure is the median of 15 runs after 2 that are not counted. The other tools run in turn with martgen.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMOKE = "--smoke" in sys.argv
RUNS = 1 if SMOKE else 15
TREE = ["proto", "template", "services", "features", "chassis/tests/shelf", "kernel", "kong", "compose", "docs/api", "martgen.toml", "martgen.lock",
        "rustfmt.toml", "Cargo.toml", "Cargo.lock"]


def run(words, folder):
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def copy(to):
    for part in TREE:
        source = ROOT / part
        target = to / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    return to


def timed(*sides):
    """Runs commands in turn and returns their median durations in seconds. Each side is (words, folder, cleanup function)."""
    took = [[] for _ in sides]
    for nth in range(RUNS + (0 if SMOKE else 2)):
        for side, (words, folder, after) in enumerate(sides):
            begun = time.perf_counter()
            run(words, folder)
            seconds = time.perf_counter() - begun
            after()
            if SMOKE or nth >= 2:
                took[side].append(seconds)
    return [statistics.median(each) for each in took]


def copier(scratch, files):
    """Installs copier, creates a template with as many files, and returns the command."""
    venv = scratch / "venv"
    run(["python3", "-m", "venv", venv], scratch)
    run([venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "copier==9.19.1"], scratch)
    template = scratch / "template"
    template.mkdir()
    (template / "copier.yml").write_text("name:\n  type: str\n  default: review\n")
    for nth, text in enumerate(files):
        (template / f"file{nth}.txt.jinja").write_text("{% raw %}" + text.replace("endraw", "") + "{% endraw %}\n{{ name }}\n")
    return [venv / "bin/copier", "copy", "--defaults", "--quiet", template, scratch / "made"]


def buf(scratch):
    found = sorted((ROOT / ".mart/parts").glob("buf-*/bin/buf"))
    contracts = ROOT / "target/buf"
    if not found or not contracts.is_dir():
        sys.exit("run ./mart test lint first: it fetches buf and copies the contracts for it")
    return [found[-1], "lint", contracts]


def nothing():
    pass


def main():
    profile = "debug" if SMOKE else "release"
    run(["cargo", "build", "--quiet", "--bin", "martgen", *(["--release"] if profile == "release" else [])], ROOT)
    martgen = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / profile / "martgen"
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        one, many = copy(scratch / "one"), copy(scratch / "many")
        services = 3 if SMOKE else 99
        for nth in range(services):
            run([martgen, "new-service", f"made{chr(97 + nth // 26)}{chr(97 + nth % 26)}_up"], many)
        run([martgen, "new-service", "review"], one)
        made = [path.read_text() for part in ("services/review", "features/review", "proto/mart/review")
                for path in sorted((one / part).rglob("*")) if path.is_file()]
        copying = copier(scratch, made)
        run([martgen, "remove-service", "review"], one)
        figures = {}
        remove = lambda: run([martgen, "remove-service", "review"], one)
        unmake = lambda: shutil.rmtree(scratch / "made")
        figures["new-service"], figures["copier copy, as many files"] = timed(
            ([martgen, "new-service", "review"], one, remove), (copying, scratch, unmake))
        figures["check, this repository"], figures["generate, nothing to do"], figures["buf lint, this repository"] = timed(
            ([martgen, "check"], one, nothing), ([martgen, "generate"], one, nothing), (buf(scratch), scratch, nothing))
        figures[f"check, {services + 1} services"], figures[f"generate, nothing to do, {services + 1} services"] = timed(
            ([martgen, "check"], many, nothing), ([martgen, "generate"], many, nothing))
    for name, seconds in figures.items():
        print(f"{name:<44} {seconds * 1000:8.1f} ms")
    ratio = figures["generate, nothing to do"] / figures["check, this repository"]
    print(f"generate with nothing to do takes {ratio:.2f} of check; new-service creates {len(made)} files")
    result = ROOT / "target/bench"
    result.mkdir(parents=True, exist_ok=True)
    (result / "martgen.json").write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
