-- When each schedule is due next, for leaders that ask for it (durable_schedules).  Nothing of River reads it.
create table if not exists /* schema */ferryman_schedule (
    id text primary key not null,
    spec text not null,
    next_at timestamp not null,
    updated_at timestamp not null
);
