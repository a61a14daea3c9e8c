"""Benchmarks the developer's loop: python3 bench/developer.py (--smoke: one run of each, as CI does nightly).

In a clone with this repository's build, it measures a warm `./mart up`, `./mart status`, ten edits of a core under `./mart up --watch`,
from the save until the service is ready again, and `cargo martgen check`. It prints medians. Seconds depend on the machine.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import harness  # noqa: E402

SMOKE = "--smoke" in sys.argv
CORE = "services/order/core/src/application/mod.rs"
RESTARTED = re.compile(r"restarted with the new build ([0-9.]+) s after")


def seconds(folder, *words, runs):
    """Returns the median duration of a command."""
    durations = []
    for _ in range(runs):
        begun = time.monotonic()
        harness.run(folder, *words)
        durations.append(time.monotonic() - begun)
    return statistics.median(durations)


def ready(folder, *words):
    begun = time.monotonic()
    mart = harness.Mart(folder, *words).ready()
    return mart, time.monotonic() - begun


def edits(folder, mart, count):
    """Edits a core repeatedly. Returns the seconds from each save until the service is ready."""
    path = folder / CORE
    before = path.read_text()
    for nth in range(count):
        path.write_text(f"{before}\n/// An edit of the benchmark.\npub fn edited() -> u32 {{\n    {nth}\n}}\n")
        deadline = time.monotonic() + 600
        while len(RESTARTED.findall(mart.output())) <= nth:
            if time.monotonic() > deadline:
                harness.fail(f"the service was not restarted:\n{mart.output()[-3000:]}")
            time.sleep(0.05)
    path.write_text(before)
    return [float(found) for found in RESTARTED.findall(mart.output())][:count]


def main():
    folder = harness.make("loop")
    harness.Mart(folder).ready().stop()
    mart, warm = ready(folder)
    status = seconds(folder, "./mart", "status", runs=1 if SMOKE else 10)
    mart.stop()
    harness.run(folder, "cargo", "martgen", "check")
    check = seconds(folder, "cargo", "martgen", "check", runs=1 if SMOKE else 10)
    mart, _ = ready(folder, "--watch")
    restarts = edits(folder, mart, 1 if SMOKE else 10)
    mart.stop()
    print(f"./mart up, warm, until ready                {warm:6.1f} s")
    print(f"./mart status                               {status:6.2f} s")
    print(f"save of a core until its service is ready   {statistics.median(restarts):6.1f} s (median of {len(restarts)}: {restarts})")
    print(f"cargo martgen check, nothing changed        {check:6.2f} s")


if __name__ == "__main__":
    sys.exit(main())
