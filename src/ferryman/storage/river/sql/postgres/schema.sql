-- name: has_migrations
select 1 where to_regclass('/* schema */river_migration') is not null

-- name: has_lines
-- Below version 5 of main the table has no column for the line.
select 1
from pg_catalog.pg_attribute
where attrelid = to_regclass('/* schema */river_migration')
  and attname = 'line'
  and not attisdropped

-- name: migrations
select line, version from /* schema */river_migration order by version

-- name: old_migrations
select 'main', version from /* schema */river_migration order by version

-- name: lock_migrations
-- One migrator at a time, until its transaction ends; the number means nothing elsewhere.
select pg_advisory_xact_lock(7372651290441085234)

-- name: indexes
-- The indexes of the schema in which the jobs are.
select relname::text
from pg_catalog.pg_class
where relkind = 'i'
  and relnamespace = (
      select jobs.relnamespace from pg_catalog.pg_class as jobs where jobs.oid = to_regclass('/* schema */river_job')
  )
order by relname
