drop table /* schema */river_client_queue;

drop table /* schema */river_client;

-- The older form has no place for a line, so only main's versions go back into it.  Other lines have to
-- be reverted before; whoever runs this file through ferryman is told so.
alter table /* schema */river_migration
rename to river_migration_old;

create table /* schema */river_migration (
    id integer primary key,
    created_at timestamp not null default current_timestamp,
    version integer not null,
    constraint version check (version >= 1)
);

insert into /* schema */river_migration (version, created_at)
select version, created_at
from /* schema */river_migration_old
where line = 'main'
order by version;

drop table /* schema */river_migration_old;

create unique index /* schema */river_migration_version_idx
on river_migration (version);
