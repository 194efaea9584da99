-- The workers that are alive, each by its last heartbeat.  Nothing of River reads it.
-- `if not exists`, because River's own tools do not ask for other lines when they remove all of main:
-- the record of this line is lost then, and its table stays.
create table if not exists /* schema */ferryman_worker (
    id text primary key,
    info jsonb not null,
    started_at timestamptz not null,
    beat_at timestamptz not null,
    expires_at timestamptz not null
);

create index if not exists ferryman_worker_expires_at_idx
on /* schema */ferryman_worker (expires_at);
