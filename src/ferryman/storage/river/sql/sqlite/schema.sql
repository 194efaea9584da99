-- name: has_migrations
select 1 from sqlite_master where type = 'table' and name = 'river_migration'

-- name: has_lines
-- Below version 5 of main the table has no column for the line.
select 1 from pragma_table_info('river_migration') where name = 'line'

-- name: migrations
select line, version from river_migration order by version

-- name: old_migrations
select 'main', version from river_migration order by version

-- name: lock_migrations
-- A write transaction is the lock already.
select 1

-- name: indexes
select name
from sqlite_master
where type = 'index'
order by name
