-- name: announce
-- Says that a queue is worked; a queue that is paused stays so.
insert into river_queue (name, created_at, metadata, updated_at)
values (:name, :now, jsonb('{}'), :now)
on conflict (name) do update set updated_at = excluded.updated_at
returning name

-- name: queues
-- Every queue that was ever worked or holds a job.
select name, paused_at from river_queue
union all
select distinct queue, null from river_job where queue not in (select name from river_queue)
order by name

-- name: queue_counts
select queue, state, count(*)
from river_job
where (:queue is null or queue = :queue)
group by queue, state

-- name: glance
-- How many jobs each queue has in each state, of ended ones up to :cap.  A walk along the index finds
-- the queues without reading the rows.
with recursive held (state, queue) as (
    select state.value, (select min(queue) from river_job where state = state.value)
    from json_each(
        '["available","running","scheduled","retryable","pending","completed","cancelled","discarded"]'
    ) as state
    union all
    select state, (select min(queue) from river_job where state = held.state and queue > held.queue)
    from held
    where queue is not null
)

select
    queue,
    state,
    case when state in ('completed', 'cancelled', 'discarded')
        then (
            select count(*)
            from (select 1 from river_job where state = held.state and queue = held.queue limit :cap)
        )
        else (select count(*) from river_job where state = held.state and queue = held.queue)
    end
from held
where queue is not null

-- name: worked_queues
select name, paused_at from river_queue

-- name: oldest_of
-- Since when the next job of each of these queues waits; :names is a JSON list.
select
    value,
    (
        select scheduled_at
        from river_job
        where state = 'available' and queue = value
        order by priority, scheduled_at, id
        limit 1
    )
from json_each(:names)

-- name: queue_oldest
-- Since when the next job of a queue waits.
select scheduled_at
from river_job
where state = 'available'
  and queue = :queue
order by priority, scheduled_at, id
limit 1

-- name: ended_between
-- How many jobs of a queue ended in a span of time, by state.
select state, count(*)
from river_job
where state in ('cancelled', 'completed', 'discarded')
  and finalized_at >= :since
  and finalized_at < :before
  and queue = :queue
group by state

-- name: paused
-- Which of these queues are paused; :names is a JSON list.
select name
from river_queue
where name in (select value from json_each(:names))
  and paused_at is not null

-- name: update_queue
update river_queue
set metadata = jsonb(:metadata),
    updated_at = :now
where name = :name
returning name

-- name: pause
update river_queue
set paused_at = case when paused_at is null then :now else paused_at end,
    updated_at = case when paused_at is null then :now else updated_at end
where :name = '*'
   or name = :name
returning name

-- name: resume
update river_queue
set updated_at = case when paused_at is null then updated_at else :now end,
    paused_at = null
where :name = '*'
   or name = :name
returning name

-- name: prune_queues
delete from river_queue
where name in (
    select name from river_queue where updated_at < :horizon order by name limit :max
)
returning name

-- name: delete_queue
-- Forgets a queue, unless there is a job in it by now.
delete from river_queue
where name = :name
  and not exists (select 1 from river_job where queue = :name)
returning name
