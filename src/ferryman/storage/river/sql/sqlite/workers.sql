-- name: beat
insert into ferryman_worker (id, info, started_at, beat_at, expires_at)
values (:id, jsonb(:info), :started_at, :now, :expires_at)
on conflict (id) do update
set info = excluded.info,
    beat_at = excluded.beat_at,
    expires_at = excluded.expires_at
returning id

-- name: leave
delete from ferryman_worker
where id = :id
returning id

-- name: workers
select json(info), beat_at
from ferryman_worker
where expires_at >= :now
  and json_valid(info, 6)
order by started_at, id

-- name: lost_workers
select json(info), beat_at
from ferryman_worker
where expires_at < :now
  and expires_at >= :horizon
  and json_valid(info, 6)
order by beat_at desc, id

-- name: prune_workers
delete from ferryman_worker
where expires_at < :horizon
returning id
