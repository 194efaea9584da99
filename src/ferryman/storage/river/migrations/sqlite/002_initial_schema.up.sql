-- Holds the name of the table only: on SQLite jobs can be kept from version 6 on.
create table /* schema */river_job (
    id integer primary key
);

-- One row per election; whoever holds it does the chores until it expires.
create table /* schema */river_leader (
    elected_at timestamp not null,
    expires_at timestamp not null,
    leader_id text not null,
    name text primary key not null,
    constraint name_length check (length(name) > 0 and length(name) < 128),
    constraint leader_id_length check (length(leader_id) > 0 and length(leader_id) < 128)
);
