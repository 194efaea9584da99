-- name: plans
select id, spec, (next_at at time zone 'UTC')::text
from /* schema */ferryman_schedule
order by id

-- name: plan
-- Keeps when schedules are due next.
with given as (
    select *
    from json_to_recordset(:rows::json) as g (n integer, id text, spec text, next_at timestamptz, now timestamptz)
)

insert into /* schema */ferryman_schedule as kept (id, spec, next_at, updated_at)
select id, spec, next_at, now
from given
on conflict (id) do update
set spec = excluded.spec,
    next_at = excluded.next_at,
    updated_at = excluded.updated_at
returning (select given.n from given where given.id = kept.id)
