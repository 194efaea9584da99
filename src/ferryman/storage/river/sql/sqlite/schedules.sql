-- name: plans
select id, spec, next_at
from ferryman_schedule
order by id

-- name: plan
-- Keeps when a schedule is due next.
insert into ferryman_schedule (id, spec, next_at, updated_at)
values (:id, :spec, :next_at, :now)
on conflict (id) do update
set spec = excluded.spec,
    next_at = excluded.next_at,
    updated_at = excluded.updated_at
returning id
