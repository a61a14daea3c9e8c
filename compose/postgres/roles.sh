#!/bin/sh
# Creates the roles and the database of a service at the first start of its PostgreSQL: the owner, who migrates, and the app role,
# which has only the rights that migrations grant.
set -eu
psql --set=ON_ERROR_STOP=1 --username=postgres --set=service="$SERVICE" --set=owner="${SERVICE}_owner" --set=app="${SERVICE}_app" \
    --set=owner_password="$OWNER_PASSWORD" --set=app_password="$APP_PASSWORD" <<'SQL'
create role :"owner" login password :'owner_password';
create role :"app" login password :'app_password';
create database :"service" owner :"owner";
revoke all on database :"service" from public;
grant connect on database :"service" to :"app";
SQL
