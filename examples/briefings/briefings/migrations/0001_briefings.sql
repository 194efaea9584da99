-- A briefing, and how far its job has come.
create table briefings (
    id text primary key,
    topic text not null check (length(topic) between 1 and 200),
    status text not null default 'queued' check (status in ('queued', 'processing', 'completed', 'failed')),
    attempt integer not null default 0,
    max_attempts integer not null default 4,
    next_attempt_at text,
    job_ref text unique,
    idempotency_key text unique,
    content text,
    last_error text,     -- of the latest attempt, shown while we are still trying
    error_message text,  -- set once, when the job gives up
    created_at text not null,
    started_at text,
    finished_at text,
    check ((status = 'failed') = (error_message is not null)),
    check ((status = 'completed') = (content is not null))
);
create index briefings_latest on briefings (created_at);
create index briefings_unfinished on briefings (id) where status in ('queued', 'processing');
