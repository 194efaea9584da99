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

-- name: date_style
select current_setting('DateStyle'), quote_ident(current_user)

-- name: server_clock
select extract(epoch from clock_timestamp())::double precision

-- name: oldest_transaction
-- The transaction of others in this database that is open for longest.
select what, who, (since at time zone 'UTC')::text
from (
    select
        'transaction' as what,
        format('process %s of %s, %s', pid, coalesce(nullif(application_name, ''), 'somebody'), state) as who,
        xact_start as since
    from pg_catalog.pg_stat_activity
    where datname = current_database()
      and backend_type = 'client backend'
      and pid <> pg_backend_pid()
    union all
    select 'prepared transaction', gid, prepared
    from pg_catalog.pg_prepared_xacts
    where database = current_database()
) as open
where since is not null
order by since
limit 1

-- name: slot_that_holds
-- The replication slot that keeps the oldest dead rows from being cleared away, and how many transactions ago they
-- died: it knows no clock.
select slot_name::text, active, age(xmin)::bigint
from pg_catalog.pg_replication_slots
where xmin is not null
order by age(xmin) desc
limit 1

-- name: dead_rows
select n_dead_tup, n_live_tup
from pg_catalog.pg_stat_user_tables
where relid = to_regclass('/* schema */river_job')

-- name: oldest_completed
-- When the oldest completed job ended that does not say itself how long it is kept, nor does its task (:kinds, a
-- JSON list).
select (finalized_at at time zone 'UTC')::text
from /* schema */river_job
where state = 'completed'
  and finalized_at > '-infinity'
  and not metadata ? 'ferryman:retention'
  and not :kinds::jsonb ? kind
order by finalized_at
limit 1

-- name: schemas_found
-- Where the search path leads to tables of jobs, in its order; nowhere when a schema is named.
select schema
from unnest(current_schemas(false)) with ordinality as path (schema, place)
where :schema::text is null
  and exists (
      select
      from pg_catalog.pg_tables
      where schemaname = schema
        and tablename = :table::text
  )
order by place

-- name: missing_grants
-- What the current user may not do with :tables, a JSON list; who is not there needs no grant.
select name, string_agg(right_needed, ', ' order by right_needed), quote_ident(current_user)
from json_array_elements_text(:tables::json) as name,
    unnest(array['select', 'insert', 'update', 'delete']) as right_needed
where to_regclass('/* schema */' || name) is not null
  and not has_table_privilege(to_regclass('/* schema */' || name), right_needed)
group by name
order by name
