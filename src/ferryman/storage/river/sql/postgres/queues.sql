-- name: announce
-- Says that queues are worked; a queue that is paused stays so.
with given as (
    select * from json_to_recordset(:rows::json) as g (n integer, name text, now timestamptz)
),

said as (
    insert into /* schema */river_queue as queue (name, created_at, metadata, updated_at)
    select name, now, '{}', now from given order by name
    on conflict (name) do update set updated_at = excluded.updated_at
    returning queue.name
)

select given.n, said.name from given inner join said on said.name = given.name

-- part: held_queues
-- In which states each queue holds jobs: a walk along the index finds that in a large table without reading its rows.
with recursive held (state, queue) as (
    (select state, queue from /* schema */river_job order by state, queue limit 1)
    union all
    select next.state, next.queue
    from held,
        lateral (
            select job.state, job.queue
            from /* schema */river_job as job
            where (job.state, job.queue) > (held.state, held.queue)
            order by job.state, job.queue
            limit 1
        ) as next
)

-- name: queues
-- Every queue that was ever worked or holds a job.
/* held_queues */

select name, (paused_at at time zone 'UTC')::text from /* schema */river_queue
union all
select distinct queue, null from held where queue not in (select name from /* schema */river_queue)
order by 1

-- name: queue_counts
select queue, state::text, count(*)
from /* schema */river_job
where (:queue::text is null or queue = :queue::text)
group by queue, state

-- name: glance
-- How many jobs each queue has in each state, of ended ones up to :cap.
/* held_queues */

select
    queue,
    state::text,
    case when state in ('completed', 'cancelled', 'discarded')
        then (
            select count(*)
            from (
                select 1
                from /* schema */river_job as job
                where job.state = held.state and job.queue = held.queue
                limit :cap::integer
            ) as ended
        )
        else (
            select count(*)
            from /* schema */river_job as job
            where job.state = held.state and job.queue = held.queue
        )
    end
from held

-- name: worked_queues
select name, (paused_at at time zone 'UTC')::text from /* schema */river_queue

-- name: oldest_of
-- Since when the next job of each of these queues waits; :names is a JSON list.
select
    queue.name,
    (
        select (scheduled_at at time zone 'UTC')::text
        from /* schema */river_job as job
        where job.state = 'available' and job.queue = queue.name
        order by priority, scheduled_at, id
        limit 1
    )
from jsonb_array_elements_text(:names::jsonb) as queue (name)

-- name: queue_oldest
-- Since when the next job of a queue waits.
select (scheduled_at at time zone 'UTC')::text
from /* schema */river_job
where state = 'available'
  and queue = :queue::text
order by priority, scheduled_at, id
limit 1

-- name: ended_between
-- How many jobs of a queue ended in a span of time, by state.
select state::text, count(*)
from /* schema */river_job
where state in ('cancelled', 'completed', 'discarded')
  and finalized_at >= :since::timestamptz
  and finalized_at < :before::timestamptz
  and queue = :queue::text
group by state

-- name: paused
-- Which of these queues are paused; :names is a JSON list.
select name
from /* schema */river_queue
where :names::jsonb ? name
  and paused_at is not null

-- name: update_queue
update /* schema */river_queue
set metadata = :metadata::jsonb,
    updated_at = :now::timestamptz
where name = :name::text
returning name

-- name: pause
update /* schema */river_queue
set paused_at = coalesce(paused_at, :now::timestamptz),
    updated_at = case when paused_at is null then :now::timestamptz else updated_at end
where :name::text = '*'
   or name = :name::text
returning name

-- name: resume
update /* schema */river_queue
set updated_at = case when paused_at is null then updated_at else :now::timestamptz end,
    paused_at = null
where :name::text = '*'
   or name = :name::text
returning name

-- name: prune_queues
delete from /* schema */river_queue
where name in (
    select name
    from /* schema */river_queue
    where updated_at < :horizon::timestamptz
    order by name
    limit :max::integer
)
returning name

-- name: delete_queue
-- Forgets a queue, unless there is a job in it by now.
delete from /* schema */river_queue
where name = :name::text
  and not exists (select 1 from /* schema */river_job where queue = :name::text)
returning name
