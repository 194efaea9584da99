-- What has been applied.  The first four versions are the only ones that this form records.
create table /* schema */river_migration (
    id bigserial primary key,
    created_at timestamptz not null default now(),
    version bigint not null,
    constraint version check (version >= 1)
);

create unique index river_migration_version_idx
on /* schema */river_migration (version);
