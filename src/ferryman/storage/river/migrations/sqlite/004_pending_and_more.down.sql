drop table /* schema */river_queue;

-- The lease in the old table is not kept: it lasts seconds and is taken again.
drop table /* schema */river_leader;

create table /* schema */river_leader (
    elected_at timestamp not null,
    expires_at timestamp not null,
    leader_id text not null,
    name text primary key not null,
    constraint name_length check (length(name) > 0 and length(name) < 128),
    constraint leader_id_length check (length(leader_id) > 0 and length(leader_id) < 128)
);
