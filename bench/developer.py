"""How long a developer waits: python3 bench/developer.py (--smoke: one edit, as at night).

In a clone with all that is built here: a warm `./mart up`, `./mart status`, ten edits of a core under `./mart up --watch` from the save
to the service that answers again, and `cargo martgen check`. Each is a median; seconds depend on the machine.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import stand  # noqa: E402

SMOKE = "--smoke" in sys.argv
CORE = "services/order/core/src/application/mod.rs"
AGAIN = re.compile(r"served again ([0-9.]+) s after")


def seconds(folder, *words, runs):
    """The median of some runs of a command."""
    taken = []
    for _ in range(runs):
        begun = time.monotonic()
        stand.run(folder, *words)
        taken.append(time.monotonic() - begun)
    return statistics.median(taken)


def ready(folder, *words):
    begun = time.monotonic()
    mart = stand.Mart(folder, *words).ready()
    return mart, time.monotonic() - begun


def edits(folder, mart, count):
    """Changes what a core does, again and again; the seconds from each save to the service that answers."""
    path = folder / CORE
    before = path.read_text()
    for nth in range(count):
        path.write_text(f"{before}\n/// An edit of the benchmark.\npub fn edited() -> u32 {{\n    {nth}\n}}\n")
        deadline = time.monotonic() + 600
        while len(AGAIN.findall(mart.output())) <= nth:
            if time.monotonic() > deadline:
                stand.fail(f"it was not served again:\n{mart.output()[-3000:]}")
            time.sleep(0.05)
    path.write_text(before)
    return [float(found) for found in AGAIN.findall(mart.output())][:count]


def main():
    folder = stand.make("loop")
    stand.Mart(folder).ready().stop()
    mart, warm = ready(folder)
    status = seconds(folder, "./mart", "status", runs=1 if SMOKE else 10)
    mart.stop()
    stand.run(folder, "cargo", "martgen", "check")
    check = seconds(folder, "cargo", "martgen", "check", runs=1 if SMOKE else 10)
    mart, _ = ready(folder, "--watch")
    again = edits(folder, mart, 1 if SMOKE else 10)
    mart.stop()
    print(f"./mart up, warm, until it is ready          {warm:6.1f} s")
    print(f"./mart status                               {status:6.2f} s")
    print(f"a saved core until its service answers      {statistics.median(again):6.1f} s (median of {len(again)}: {again})")
    print(f"cargo martgen check, nothing changed        {check:6.2f} s")


if __name__ == "__main__":
    sys.exit(main())
