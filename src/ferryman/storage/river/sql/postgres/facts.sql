-- name: about_server
-- Which server it is, in which schema it keeps the jobs, and for how many seconds it has been up.
select
    current_setting('server_version'),
    coalesce(
        (
            select relnamespace::regnamespace::text
            from pg_catalog.pg_class
            where oid = to_regclass('/* schema */river_job')
        ),
        current_schema()::text
    ),
    extract(epoch from clock_timestamp() - pg_postmaster_start_time())::double precision

-- name: database_size
select pg_database_size(current_database())

-- name: connections
-- How many processes serve a database, of as many as may.
select sum(numbackends)::integer, current_setting('max_connections')::integer
from pg_catalog.pg_stat_database

-- name: oldest_open
-- For how many seconds the oldest transaction of this database is open, and whether some are hidden from this user.
-- What the server does by itself has no user, and is hidden from most.
select
    extract(epoch from clock_timestamp() - min(xact_start))::double precision,
    coalesce(bool_or(query = '<insufficient privilege>'), false)
from pg_catalog.pg_stat_activity
where datname = current_database()
  and usesysid is not null
  and pid <> pg_backend_pid()

-- name: notification_queue
-- Which part is used of what all sessions together may be told and have not heard yet.
select pg_notification_queue_usage()

-- name: tables
-- How large each table of jobs is, and when it was last looked after.  The rows are an estimate: to count them is to
-- read them all.
select
    relname::text,
    n_live_tup,
    n_dead_tup,
    pg_total_relation_size(relid),
    pg_indexes_size(relid),
    (greatest(last_vacuum, last_autovacuum) at time zone 'UTC')::text,
    (greatest(last_analyze, last_autoanalyze) at time zone 'UTC')::text
from pg_catalog.pg_stat_user_tables
where relname ~ '^(river|ferryman)_'
  and schemaname = (
      select relnamespace::regnamespace::text
      from pg_catalog.pg_class
      where oid = to_regclass('/* schema */river_job')
  )
order by pg_total_relation_size(relid) desc, relname
