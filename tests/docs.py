"""Runs every command of README, CONTRIBUTING and AGENTS, in the order of the page.

Commands in blocks marked `sh` run in a clone, but `./mart test …` runs in this repository, where the tests are already built.
Exempt are: cloning, apt, rustup, `./mart test` (it would run this script), `./mart test quick` (CI runs its parts anyway), and the
commands that journey.py runs.
"""

import re
import sys

import harness
import journey
from harness import Mart, expect, run

PAGES = ["README.md", "CONTRIBUTING.md", "AGENTS.md"]
EXEMPT = re.compile(r"^(git clone |sudo apt-get |rustup |\./mart test( quick)?$)")


def commands(text):
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.strip():
                yield line


def inline(text):
    """Returns the commands within sentences, without those that have a placeholder such as PART."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for command in re.findall(r"`((?:\./mart|cargo) [^`…]+)`", prose):
        if not re.search(r"\b[A-Z]{3,}\b", command):
            yield command


def check_inline(folder, command):
    """Checks that the tool knows the words of a command. It is not run, because it may take long or never end."""
    words = command.split()
    if words[:2] == ["./mart", "test"]:
        known = run(folder, "./mart", "test", "--list")
        parts = [word for word in words[2:] if not word.startswith("-")]
        expect(f"valid: {command}", all(re.search(rf"^{part}\b", known, re.MULTILINE) for part in parts if parts.index(part) == 0))
    elif words[0] == "./mart":
        expect(f"valid: {command}", run(folder, *words, "--help") if words[1] != "help" else True)
    elif words[:2] == ["cargo", "martgen"]:
        expect(f"valid: {command}", run(folder, *words[:3], "--help"))
    else:
        expect(f"valid: {command}", words[1] in ("fmt", "install"))


def links(folder, page, text):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("http"):
            expect(f"the link of {page} to {target} is valid", (folder / page).parent.joinpath(target).exists())


def column(folder, text):
    """Checks that the compiler says of a new column what the page says."""
    section = text.split("## Add a column")[1].split("\n## ")[0]
    field, words = (re.search(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[1] for kind in ("rust", "text"))
    rows = folder / re.search(r"`(services/.*?/rows.rs)`", section)[1]
    before = rows.read_text()
    rows.write_text(before.replace("        created_at: OffsetDateTime,\n", f"{field}        created_at: OffsetDateTime,\n", 1))
    output = run(folder, "cargo", "build", "--quiet", "-p", "order-service", "--lib", success=False)
    rows.write_text(before)
    for line in words.splitlines():
        expect(f"the compiler says: {line}", line in output, output)


def main():
    folder = harness.make("clone")
    marts = []
    for page in PAGES:
        text = (folder / page).read_text()
        harness.log(page)
        lines = text.count("\n")
        longest = max(map(len, text.splitlines()))
        expect(f"{lines} lines of at most {longest} characters", page != "README.md" or (lines <= 200 and longest <= 140))
        links(folder, page, text)
        if "## Add a column" in text:
            column(folder, text)
        for line in commands(text):
            if EXEMPT.match(line) or line in journey.README:
                harness.log(f"  exempt: {line}")
            elif line == "./mart up":
                marts.append(Mart(folder).ready())
                harness.log(f"  {line}")
            else:
                run(harness.ROOT if "./mart test" in line else folder, "bash", "-c", line)
                harness.log(f"  {line}")
        for command in inline(text):
            check_inline(folder, command)
    for page in sorted([*(folder / "docs").glob("**/*.md"), *(folder / "services").glob("*/README.md")]):
        links(folder, str(page.relative_to(folder)), page.read_text())
    for mart in marts:
        if mart.process.poll() is None:
            mart.stop()
    expect("no process is left", not harness.processes(folder), str(harness.processes(folder)))


if __name__ == "__main__":
    sys.exit(main())
