#!/bin/sh
# Makes the roles of a service and its database, when its PostgreSQL starts for the first time: an owner who migrates, and an
# app role that may do no more than migrations grant it.
set -eu
psql --set=ON_ERROR_STOP=1 --username=postgres --set=service="$SERVICE" --set=owner="${SERVICE}_owner" --set=app="${SERVICE}_app" \
    --set=owner_password="$OWNER_PASSWORD" --set=app_password="$APP_PASSWORD" <<'SQL'
create role :"owner" login password :'owner_password';
create role :"app" login password :'app_password';
create database :"service" owner :"owner";
revoke all on database :"service" from public;
grant connect on database :"service" to :"app";
SQL
