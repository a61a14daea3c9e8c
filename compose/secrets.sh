#!/bin/sh
# Generates the secrets of this machine's containers into compose/.env, which is never committed. A further run adds missing ones.
set -eu
cd "$(dirname "$0")"
umask 077
if [ ! -e .env ] && command -v docker >/dev/null && docker volume ls --quiet 2>/dev/null | grep '^mart_.*-data$' | grep -qv '^mart_kafka-'; then
    cat >&2 <<'TEXT'
error: compose/.env is missing, but the volumes of an earlier stack hold databases with the passwords that it had
  help: restore compose/.env, or delete the stack with its data: docker volume ls, then docker volume rm of each mart_... volume
TEXT
    exit 1
fi
touch .env
for name in PAGE_TOKEN_SECRET SANDBOX_KEY SANDBOX_SECRET \
    $(sed -n 's/.*services\/\(.*\)\.yml.*/\1/p' services.yml | tr 'a-z-' 'A-Z_' |
        sed 's/\(.*\)/\1_POSTGRES_PASSWORD \1_OWNER_PASSWORD \1_APP_PASSWORD/'); do
    grep -q "^$name=" .env || echo "$name=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')" >>.env
done
