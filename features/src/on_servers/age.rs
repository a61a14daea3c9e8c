//! Lets time pass for one scenario by making its rows older.

use sqlx::PgPool;

use super::scenario::OnServers;

/// Returns, for each table of the service, the statement that makes rows older by $1 microseconds: those with a column that is one
/// of the keys $2 or matches $3. The tables of chassis use the database's clock, which scenarios don't move.
const AGE: &str = r"
    select format('update %I set %s where %s', relname,
        string_agg(format('%1$I = %1$I - $1::text::bigint * interval ''1 microsecond''', attname), ', ')
            filter (where kind = 'timestamp with time zone'),
        string_agg(format('%1$I::text = any($2) or %1$I::text ~ $3', attname), ' or ') filter (where kind in ('uuid', 'text')))
    from pg_class
    join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    cross join lateral format_type(atttypid, null) as kind
    where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname not in ('outbox', 'receipt', 'inbox', '_sqlx_migrations')
    group by relname
    having bool_or(kind = 'timestamp with time zone') and bool_or(kind in ('uuid', 'text'))";

impl OnServers {
    /// Lets time pass for the scenario's own aggregates, and waits until every background job has run after it.
    /// The machine's clock is untouched: the scenario's rows are made older instead. So no scenario has to keep up with a clock, and
    /// none disturbs another.
    pub(crate) async fn pass(&self, by: time::Duration) {
        self.settle().await;
        for name in &self.running.names {
            let service = &self.running.services[*name];
            self.age(&service.database, by).await;
            if service.jobs > 0 {
                self.running.jobs_ran(service).await;
            }
        }
    }

    /// Moves every point in time back in the rows that hold one of the scenario's aggregates, its names or its address.
    async fn age(&self, database: &PgPool, by: time::Duration) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let own = format!(r"(-{}|{})(\D|$)", self.suffix, self.address.to_string().replace('.', r"\."));
        let statements: Vec<String> = sqlx::query_scalar(AGE).fetch_all(database).await.expect("a service's tables");
        for statement in statements {
            let aged = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(by.whole_microseconds().to_string());
            aged.bind(&keys).bind(&own).execute(database).await.expect("aged");
        }
    }
}
