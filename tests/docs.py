"""Runs every command of README, CONTRIBUTING and AGENTS, in the order of the page.

Commands are in blocks marked `sh` and run in a clone; `./mart test …` runs here, where the tests are built. Commands that cannot run
here are exempt by name: cloning, apt, rustup, `./mart test`, which would run this, `./mart test quick`, whose parts CI runs anyway, and those that
journey runs in its own clone.
"""

import re
import sys

import journey
import stand
from stand import Mart, expect, run

PAGES = ["README.md", "CONTRIBUTING.md", "AGENTS.md"]
EXEMPT = re.compile(r"^(git clone |sudo apt-get |rustup |\./mart test( quick)?$)")


def commands(text):
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.strip():
                yield line


def inline(text):
    """Commands within sentences, without those that only name a word to be filled in."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for command in re.findall(r"`((?:\./mart|cargo) [^`…]+)`", prose):
        if not re.search(r"\b[A-Z]{3,}\b", command):
            yield command


def check_inline(folder, command):
    """A command in a sentence may take long or never end; its words have to be ones that the tool knows."""
    words = command.split()
    if words[:2] == ["./mart", "test"]:
        known = run(folder, "./mart", "test", "--list")
        parts = [word for word in words[2:] if not word.startswith("-")]
        expect(f"known: {command}", all(re.search(rf"^{part}\b", known, re.MULTILINE) for part in parts if parts.index(part) == 0))
    elif words[0] == "./mart":
        expect(f"known: {command}", run(folder, *words, "--help") if words[1] != "help" else True)
    elif words[:2] == ["cargo", "martgen"]:
        expect(f"known: {command}", run(folder, *words[:3], "--help"))
    else:
        expect(f"known: {command}", words[1] in ("fmt", "install"))


def links(folder, page, text):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("http"):
            expect(f"{page} leads to {target}", (folder / page).parent.joinpath(target).exists())


def main():
    folder = stand.make("clone")
    marts = []
    for page in PAGES:
        text = (folder / page).read_text()
        stand.say(page)
        lines = text.count("\n")
        longest = max(map(len, text.splitlines()))
        expect(f"it has {lines} lines, the longest of {longest} characters", page != "README.md" or (lines <= 200 and longest <= 140))
        links(folder, page, text)
        for line in commands(text):
            if EXEMPT.match(line) or line in journey.README:
                stand.say(f"  exempt: {line}")
            elif line == "./mart up":
                marts.append(Mart(folder).ready())
                stand.say(f"  {line}")
            else:
                run(stand.ROOT if "./mart test" in line else folder, "bash", "-c", line)
                stand.say(f"  {line}")
        for command in inline(text):
            check_inline(folder, command)
    for page in sorted([*(folder / "docs").glob("**/*.md"), *(folder / "services").glob("*/README.md")]):
        links(folder, str(page.relative_to(folder)), page.read_text())
    for mart in marts:
        if mart.process.poll() is None:
            mart.stop()
    expect("nothing is left running", not stand.processes(folder), str(stand.processes(folder)))


if __name__ == "__main__":
    sys.exit(main())
