-- name: table
create table if not exists {table} (
    id integer primary key,
    job_ref text not null unique,
    kind text not null,
    job text not null,
    created_at text not null,
    claimed_at text,
    sent_at text,
    tries integer not null default 0,
    last_error text
)

-- name: index
create index if not exists {table}_unsent on {table} (id) where sent_at is null

-- name: put
insert into {table} (job_ref, kind, job, created_at)
values (:ref, :kind, :job, :now)
returning id

-- name: claim
-- Takes the oldest jobs that nobody else is sending.
update {table}
set claimed_at = :now
where id in (
    select id
    from {table}
    where sent_at is null
      and (claimed_at is null or claimed_at < :lapsed)
    order by id
    limit :limit
)
returning id, job_ref, job

-- name: sent
update {table}
set sent_at = :now, last_error = null
where id in (select value from json_each(:ids))
returning id

-- name: give_back
-- Nobody tried: the storage is away, and whoever asks next may have them.
update {table}
set claimed_at = null
where id in (select value from json_each(:ids))
returning id

-- name: refused
-- It keeps its claim, so that others go before it for a while.
update {table}
set tries = tries + 1, last_error = :error
where id = :id
returning id

-- name: clean
delete from {table}
where id in (select id from {table} where sent_at < :before limit :limit)
returning id

-- name: waiting
select count(*), (julianday(min(created_at)) - 2440587.5) * 86400.0
from {table}
where sent_at is null
