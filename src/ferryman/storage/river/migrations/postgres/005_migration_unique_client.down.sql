-- The older form has no place for a line.
do $$
begin
    if to_regclass('/* schema */river_migration') is null then
        return;
    end if;

    if exists (select 1 from /* schema */river_migration where line <> 'main') then
        raise exception 'river_migration has rows of lines other than main, which version 4 cannot keep: '
            'revert those lines first.';
    end if;

    alter table /* schema */river_migration
    rename to river_migration_old;

    create table /* schema */river_migration (
        id bigserial primary key,
        created_at timestamptz not null default now(),
        version bigint not null,
        constraint version check (version >= 1)
    );

    create unique index river_migration_version_idx
    on /* schema */river_migration (version);

    insert into /* schema */river_migration (version, created_at)
    select version, created_at
    from /* schema */river_migration_old
    order by version;

    drop table /* schema */river_migration_old;
end;
$$;

-- Its index goes with it.
alter table /* schema */river_job
drop column unique_key;

drop table /* schema */river_client_queue;

drop table /* schema */river_client;
