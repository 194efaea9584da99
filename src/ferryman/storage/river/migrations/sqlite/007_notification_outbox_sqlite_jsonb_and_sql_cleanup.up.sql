-- What Postgres tells with NOTIFY is read from here.  An id is never used twice, so that a reader can
-- remember the last one it saw.
create table /* schema */river_notification (
    id integer primary key autoincrement,
    created_at timestamp not null default (datetime('now', 'subsec')),
    payload text not null,
    topic text not null,
    constraint topic_length check (length(topic) > 0 and length(topic) < 128)
);

create index /* schema */river_notification_created_at_idx
on river_notification (created_at);

create index /* schema */river_notification_topic_id_idx
on river_notification (topic, id);

-- Never used by any release.
drop table /* schema */river_client_queue;

drop table /* schema */river_client;

alter table /* schema */river_queue
rename to river_queue_old;

create table /* schema */river_queue (
    name text primary key not null,
    created_at timestamp not null default current_timestamp,
    metadata blob not null default (jsonb('{}')),
    paused_at timestamp,
    updated_at timestamp not null default current_timestamp
);

insert into /* schema */river_queue (name, created_at, metadata, paused_at, updated_at)
select name, created_at, jsonb(cast(metadata as text)), paused_at, updated_at
from /* schema */river_queue_old;

drop table /* schema */river_queue_old;

-- The indexes go first: their names are needed again, and copying is quicker without them.
drop index /* schema */river_job_kind;

drop index /* schema */river_job_state_and_finalized_at_index;

drop index /* schema */river_job_prioritized_fetching_index;

drop index /* schema */river_job_unique_idx;

alter table /* schema */river_job
rename to river_job_old;

-- max_attempts, which gets its default here, is River's last column at this version.
create table /* schema */river_job (
    id integer primary key,
    args blob not null default (jsonb('{}')),
    attempt integer not null default 0,
    attempted_at timestamp,
    attempted_by blob,
    created_at timestamp not null default current_timestamp,
    errors blob,
    finalized_at timestamp,
    kind text not null,
    metadata blob not null default (jsonb('{}')),
    priority integer not null default 1,
    queue text not null default 'default',
    state text not null default 'available',
    scheduled_at timestamp not null default current_timestamp,
    tags blob not null default (jsonb('[]')),
    unique_key blob,
    unique_states integer,
    max_attempts integer not null default 25,
    constraint finalized_or_finalized_at_null check (
        (finalized_at is null and state not in ('cancelled', 'completed', 'discarded'))
        or (finalized_at is not null and state in ('cancelled', 'completed', 'discarded'))
    ),
    constraint priority_in_range check (priority >= 1 and priority <= 4),
    constraint queue_length check (length(queue) > 0 and length(queue) < 128),
    constraint kind_length check (length(kind) > 0 and length(kind) < 128),
    constraint state_valid check (
        state in (
            'available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'
        )
    )
);

-- JSON text may have been bound as bytes; the cast keeps those from being taken for JSONB already.
insert into /* schema */river_job (
    id,
    args,
    attempt,
    attempted_at,
    attempted_by,
    created_at,
    errors,
    finalized_at,
    kind,
    max_attempts,
    metadata,
    priority,
    queue,
    state,
    scheduled_at,
    tags,
    unique_key,
    unique_states
)
select
    id,
    jsonb(cast(args as text)),
    attempt,
    attempted_at,
    jsonb(cast(attempted_by as text)),
    created_at,
    jsonb(cast(errors as text)),
    finalized_at,
    kind,
    max_attempts,
    jsonb(cast(metadata as text)),
    priority,
    queue,
    state,
    scheduled_at,
    jsonb(cast(tags as text)),
    unique_key,
    unique_states
from /* schema */river_job_old;

drop table /* schema */river_job_old;

create index /* schema */river_job_kind
on river_job (kind);

create index /* schema */river_job_state_and_finalized_at_index
on river_job (state, finalized_at)
where finalized_at is not null;

create index /* schema */river_job_prioritized_fetching_index
on river_job (state, queue, priority, scheduled_at, id);

-- Bit n of unique_states, from the right, says whether the n-th state in alphabetical order holds the key.
create unique index /* schema */river_job_unique_idx
on river_job (unique_key)
where unique_key is not null
    and unique_states is not null
    and case state
        when 'available' then unique_states & (1 << 0)
        when 'cancelled' then unique_states & (1 << 1)
        when 'completed' then unique_states & (1 << 2)
        when 'discarded' then unique_states & (1 << 3)
        when 'pending' then unique_states & (1 << 4)
        when 'retryable' then unique_states & (1 << 5)
        when 'running' then unique_states & (1 << 6)
        when 'scheduled' then unique_states & (1 << 7)
        else 0
    end >= 1;
