-- name: beat
insert into /* schema */ferryman_worker (id, info, started_at, beat_at, expires_at)
values (:id::text, :info::jsonb, :started_at::timestamptz, :now::timestamptz, :expires_at::timestamptz)
on conflict (id) do update
set info = excluded.info,
    beat_at = excluded.beat_at,
    expires_at = excluded.expires_at
returning id

-- name: leave
delete from /* schema */ferryman_worker
where id = :id::text
returning id

-- name: workers
select info::text, (beat_at at time zone 'UTC')::text
from /* schema */ferryman_worker
where expires_at >= :now::timestamptz
order by started_at, id

-- name: lost_workers
select info::text, (beat_at at time zone 'UTC')::text
from /* schema */ferryman_worker
where expires_at < :now::timestamptz
  and expires_at >= :horizon::timestamptz
order by beat_at desc, id

-- name: prune_workers
delete from /* schema */ferryman_worker
where expires_at < :horizon::timestamptz
returning id
