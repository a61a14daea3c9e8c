#!/bin/sh
# Generates the secrets of this machine's containers into .env, which is never committed. A further run adds missing ones.
set -eu
cd "$(dirname "$0")"
umask 077
touch .env
for name in PAGE_TOKEN_SECRET SANDBOX_KEY SANDBOX_SECRET \
    $(sed -n 's/.*services\/\(.*\)\.yml.*/\1/p' services.yml | tr 'a-z-' 'A-Z_' | sed 's/\(.*\)/\1_OWNER_PASSWORD \1_APP_PASSWORD/'); do
    grep -q "^$name=" .env || echo "$name=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')" >>.env
done
