-- name: server_version
select current_setting('server_version_num')::integer, current_setting('server_version')

-- name: valid_indexes
-- The indexes of the jobs' table that can be used.
select class.relname::text
from pg_catalog.pg_index as index
inner join pg_catalog.pg_class as class on class.oid = index.indexrelid
where index.indrelid = to_regclass('/* schema */river_job')
  and index.indisvalid
order by 1

-- name: place
-- Which server, by the moment it started, which database, and which table of jobs a connection finds.
select
    extract(epoch from pg_postmaster_start_time())::text,
    current_database()::text,
    to_regclass('/* schema */river_job')::oid::bigint
