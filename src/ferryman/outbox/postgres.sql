-- name: table
create table if not exists {table} (
    id bigint generated always as identity primary key,
    job_ref text not null unique,
    kind text not null,
    job text not null,
    created_at timestamptz not null,
    claimed_at timestamptz,
    sent_at timestamptz,
    tries integer not null default 0,
    last_error text
)

-- name: index
create index if not exists {table}_unsent on {table} (id) where sent_at is null

-- name: put
-- Times travel as text: drivers do not agree on how else.
insert into {table} (job_ref, kind, job, created_at)
values (:ref, :kind, :job, cast(cast(:now as text) as timestamptz))
returning id

-- name: claim
-- Takes the oldest jobs that nobody else is sending.  `skip locked` keeps relays out of each other's way.
update {table}
set claimed_at = cast(cast(:now as text) as timestamptz)
where id in (
    select id
    from {table}
    where sent_at is null
      and (claimed_at is null or claimed_at < cast(cast(:lapsed as text) as timestamptz))
    order by id
    limit cast(:limit as bigint)
    for update skip locked
)
returning id, job_ref, job

-- name: sent
update {table}
set sent_at = cast(cast(:now as text) as timestamptz), last_error = null
where id in (select cast(value as bigint) from json_array_elements_text(cast(cast(:ids as text) as json)) as value)
returning id

-- name: give_back
-- Nobody tried: the storage is away, and whoever asks next may have them.
update {table}
set claimed_at = null
where id in (select cast(value as bigint) from json_array_elements_text(cast(cast(:ids as text) as json)) as value)
returning id

-- name: refused
-- It keeps its claim, so that others go before it for a while.
update {table}
set tries = tries + 1, last_error = :error
where id = cast(:id as bigint)
returning id

-- name: clean
delete from {table}
where id in (
    select id
    from {table}
    where sent_at < cast(cast(:before as text) as timestamptz)
    limit cast(:limit as bigint)
)
returning id

-- name: waiting
select count(*), cast(extract(epoch from min(created_at)) as double precision)
from {table}
where sent_at is null
