-- The workers that are alive, each by its last heartbeat; info is JSONB.  Nothing of River reads it.
-- `if not exists`, because River's own tools take main below version 5 without asking for other lines:
-- the record of this line is lost then, and its table stays.
create table if not exists /* schema */ferryman_worker (
    id text primary key not null,
    info blob not null,
    started_at timestamp not null,
    beat_at timestamp not null,
    expires_at timestamp not null
);

create index if not exists /* schema */ferryman_worker_expires_at_idx
on ferryman_worker (expires_at);
