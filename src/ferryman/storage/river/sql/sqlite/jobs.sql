-- part: held
-- Whether the job keeps others with its unique key out: exactly the predicate of river_job_unique_idx.
unique_key is not null
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
end >= 1

-- part: running_row
-- Other programs may have left what is no JSON in any JSON column.  It fails nobody but
-- its own job, here and in every statement below: hence json_valid, whose 6 stands for
-- text or binary.
id,
kind,
case when json_valid(args, 6) then json(args) else cast(args as blob) end,
attempt,
max_attempts,
queue,
scheduled_at,
created_at,
priority,
case when json_valid(metadata, 6) then json(metadata) end,
case when json_valid(errors, 6) then json(errors) else cast(errors as blob) end,
case when json_valid(tags, 6) then json(tags) end

-- part: full_row
/* running_row */,
state,
attempted_at,
finalized_at,
case when json_valid(attempted_by, 6) then json(attempted_by) end,
unique_key,
unique_states

-- name: insert
-- Stores one job.  Gives no row when a job with the same unique key is there in a state
-- that its own mask names: then nothing is changed, the older job's kind included.
insert into river_job (
    id, args, created_at, kind, max_attempts, metadata, priority, queue,
    scheduled_at, state, tags, unique_key, unique_states
)
values (
    :id, jsonb(:args), :created_at, :kind, :max_attempts, jsonb(:metadata), :priority, :queue,
    :scheduled_at, :state, jsonb(:tags), :unique_key, :unique_states
)
on conflict (unique_key) where /* held */ do nothing
returning id

-- name: insert_plain
-- Stores many jobs that have neither a unique key nor an id of their own.  :rows is a JSON
-- list of lists, in the order of the columns: one statement is three times as fast as one
-- for each row (measured).
insert into river_job (
    args, created_at, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags
)
select
    jsonb(value ->> 0), value ->> 1, value ->> 2, value ->> 3, jsonb(value ->> 4),
    value ->> 5, value ->> 6, value ->> 7, value ->> 8, jsonb(value ->> 9)
from json_each(:rows)
returning id

-- name: unique_holder
-- Finds the job that keeps others with this unique key out: there is at most one.
-- It stands outside `insert` because a conflict gives no row there.
select id, state
from river_job
where unique_key = :unique_key
  and id <> :but_not
  and /* held */

-- name: key_of
-- The unique key of one job, which may be null; no row when there is no such job.
select unique_key
from river_job
where id = :id

-- name: fetch
-- Takes up to :max jobs of one queue that are due and marks them running, unless the
-- queue is paused.  The attempt counts from here.  :kinds is a JSON list, or null for any.
update river_job
set state = 'running',
    attempt = attempt + 1,
    attempted_at = :now,
    attempted_by = case
        when attempted_by is null then jsonb_array(:worker)
        when not json_valid(attempted_by, 6) then attempted_by
        when json_array_length(attempted_by) < 100 then jsonb_insert(attempted_by, '$[#]', :worker)
        else (
            select jsonb_group_array(value)
            from (
                select value
                from json_each(river_job.attempted_by)
                where key >= json_array_length(river_job.attempted_by) - 99
                union all
                select :worker
            )
        )
    end
where id in (
    select id
    from river_job
    where state = 'available'
      and queue = :queue
      and priority >= 0
      and scheduled_at <= :now
      and (:kinds is null or kind in (select value from json_each(:kinds)))
      and not exists (select 1 from river_queue where name = :queue and paused_at is not null)
    order by priority, scheduled_at, id
    limit :max
)
returning
    /* running_row */,
    case when attempted_by is null or json_valid(attempted_by, 6) then 1 end

-- name: hold
-- Says which of these jobs are there (:ids is a JSON list).  Who writes has the whole file.
select id
from river_job
where id in (select value from json_each(:ids))

-- name: wait_for
-- Returns at once: nobody can hold one job of a file.
select id
from river_job
where id = :id

-- name: still_running
-- Which of these jobs run, and in which attempt.
select id, attempt
from river_job
where id in (select value from json_each(:ids))
  and +state = 'running'

-- name: complete
-- Marks jobs completed, each if it still is the same running attempt.  :ids is a JSON list
-- of jobs that are all in their :attempt.  The plus keeps SQLite from looking at every
-- running job instead of at these.
update river_job
set state = 'completed',
    finalized_at = :now
where id in (select value from json_each(:ids))
  and +state = 'running'
  and attempt = :attempt
returning id

-- name: settle
-- Writes any outcome of a job that still is the same running attempt (spec/river.md 5.4).
-- A job that was asked to stop meanwhile is cancelled rather than put off; River does not
-- look at that when it becomes available at once, and neither do we.
update river_job
set state = case when stopped then 'cancelled' else :state end,
    attempt = case when stopped then attempt else :attempt_after end,
    finalized_at = case when stopped then :now else :finalized_at end,
    scheduled_at = case when stopped then scheduled_at else coalesce(:scheduled_at, scheduled_at) end,
    errors = case
        when :error is null then errors
        when errors is null then jsonb_array(jsonb(:error))
        when not json_valid(errors, 6) then jsonb_array(cast(errors as text), jsonb(:error))
        else jsonb_insert(errors, '$[#]', jsonb(:error))
    end,
    metadata = case
        when :snoozes is null or not json_valid(metadata, 6) then metadata
        else jsonb_set(metadata, '$.snoozes', :snoozes)
    end
from (
    select
        :state in ('retryable', 'scheduled')
        and json_type(iif(json_valid(metadata, 6), metadata, '{}'), '$.cancel_attempted_at') is not null
        as stopped
    from river_job
    where id = :id
)
where id = :id
  and state = 'running'
  and attempt = :attempt
returning state

-- name: record
-- Keeps what a task recorded, whatever became of the job meanwhile.  :recorded is a JSON list
-- of pairs, a name and JSON as text.  Each is set, not patched in: a merge patch would drop
-- the nulls inside it, and would not do with numbers that are too large for SQLite.
update river_job
set metadata = (
    with recursive steps (n, done) as (
        select 0, river_job.metadata
        union all
        select n + 1, jsonb_set(done, '$."' || (:recorded -> n ->> 0) || '"', jsonb(:recorded -> n ->> 1))
        from steps
        where n < json_array_length(:recorded)
    )
    select done from steps order by n desc limit 1
)
where id = :id
  and attempt = :attempt
  and json_valid(metadata, 6)
returning state

-- name: due
-- Jobs whose time comes before :horizon, in the order in which they would run.
select id, queue, scheduled_at, unique_key, unique_states
from river_job
where state in ('retryable', 'scheduled')
  and priority >= 0
  and scheduled_at <= :horizon
order by priority, scheduled_at, id
limit :max

-- name: promote
-- Makes one due job available.
update river_job
set state = 'available'
where id = :id
  and state in ('retryable', 'scheduled')
returning state

-- name: promote_loser
-- Discards a due job because another with its unique key is there (spec/river.md 6.5).
update river_job
set state = 'discarded',
    finalized_at = :horizon,
    metadata = case
        when json_valid(metadata, 6) then jsonb_set(metadata, '$.unique_key_conflict', 'scheduler_discarded')
        else metadata
    end
where id = :id
  and state in ('retryable', 'scheduled')
returning state

-- name: stuck
-- Running jobs that were taken before :horizon.
select /* full_row */
from river_job
where state = 'running'
  and attempted_at < :horizon
  and id > :after
order by id
limit :max

-- name: orphaned
-- Running jobs that were taken last by a worker of ours which has not beaten since :horizon.
-- Go's workers have no place in our registry, so their jobs are not among them.
select /* full_row */
from river_job
where state = 'running'
  and id > :after
  and iif(json_valid(attempted_by, 6), attempted_by, '[]') ->> '$[#-1]' in (
      select worker.id
      from ferryman_worker as worker
      where worker.beat_at < :horizon
        and worker.expires_at < :now
  )
order by id
limit :max

-- name: rescue
-- Takes back a job whose worker is gone, if it still is the same attempt; a time in a form
-- that SQLite cannot read does not keep it from that.
update river_job
set state = :state,
    finalized_at = :finalized_at,
    scheduled_at = coalesce(:scheduled_at, scheduled_at),
    errors = case
        when errors is null then jsonb_array(jsonb(:error))
        when not json_valid(errors, 6) then jsonb_array(cast(errors as text), jsonb(:error))
        else jsonb_insert(errors, '$[#]', jsonb(:error))
    end,
    metadata = case
        when not json_valid(metadata, 6) then metadata
        when json_type(metadata, '$."river:rescue_count"') in ('integer', 'real')
            then jsonb_set(
                metadata,
                '$."river:rescue_count"',
                cast(metadata ->> '$."river:rescue_count"' as integer) + 1
            )
        else jsonb_set(metadata, '$."river:rescue_count"', 1)
    end
where id = :id
  and state = 'running'
  and attempt = :attempt
  and coalesce(unixepoch(attempted_at, 'subsec') = unixepoch(:attempted_at, 'subsec'), true)
returning state

-- name: prune
-- Deletes jobs of one final state past its horizon, but for those that say themselves how
-- long they are kept, or whose task does (:kinds, seconds by kind): they are prune_own's.
delete from river_job
where id in (
    select id
    from river_job
    where state = :state
      and finalized_at <= :horizon
      and (
          state <> 'completed'
          or (
              json_type(iif(json_valid(metadata, 6), metadata, '{}'), '$."ferryman:retention"') is null
              and (:kinds -> kind) is null
          )
      )
    limit :max
)
returning id

-- name: prune_own
-- Deletes completed jobs past the time that they, or else their tasks, give.  It reads every
-- completed job, so it is not run often.
delete from river_job
where id in (
    select id
    from river_job
    where state = 'completed'
      and finalized_at <= strftime(
          '%Y-%m-%d %H:%M:%f',
          :now,
          '-' || coalesce(
              iif(json_valid(metadata, 6), metadata, '{}') ->> '$."ferryman:retention"', :kinds ->> kind
          ) || ' seconds'
      )
    limit :max
)
returning id

-- name: get
select /* full_row */
from river_job
where id = :id

-- name: jobs_of
-- Jobs by a JSON list of ids, in no order.
select /* full_row */
from river_job
where id in (select value from json_each(:ids))

-- part: matching
-- What a filter lets through.  Each part of it is a JSON list, or null for any; all of :tags must be there.
(:state is null or state = :state)
and (:states is null or state in (select value from json_each(:states)))
and (:queues is null or queue in (select value from json_each(:queues)))
and (:kinds is null or kind in (select value from json_each(:kinds)))
and (:ids is null or id in (select value from json_each(:ids)))
and (:priorities is null or priority in (select value from json_each(:priorities)))
and (:since is null or created_at >= :since)
and (:before is null or created_at < :before)
and (
    :tags is null
    or not exists (
        select value from json_each(:tags)
        except
        select value from json_each(iif(json_valid(tags, 6), tags, '[]'))
    )
)

-- part: at
case :by when 'scheduled_at' then scheduled_at when 'attempted_at' then attempted_at else finalized_at end

-- name: list_upwards
-- A page of jobs by id, after the job :after.  Where it begins is no question, so that SQLite begins there.
select /* full_row */
from river_job
where /* matching */
  and id > coalesce(:after, -9223372036854775807)
order by id
limit :max

-- name: list_downwards
select /* full_row */
from river_job
where /* matching */
  and id < coalesce(:after, 9223372036854775807)
order by id desc
limit :max

-- name: list_by_time_upwards
-- A page of jobs by one of their times, after the job :after with the time :after_at.  Those without it come last.
select /* full_row */
from river_job
where /* matching */
  and (
      :after is null
      or /* at */ > :after_at
      or (/* at */ is :after_at and id > :after)
      or (/* at */ is null and :after_at is not null)
  )
order by /* at */ nulls last, id
limit :max

-- name: list_by_time_downwards
select /* full_row */
from river_job
where /* matching */
  and (
      :after is null
      or /* at */ < :after_at
      or (/* at */ is :after_at and id < :after)
      or (/* at */ is not null and :after_at is null)
  )
order by /* at */ desc nulls first, id desc
limit :max

-- name: list_by_end_upwards
-- A page of jobs of one state that is an end, by when they ended.  There is an index in this order, but SQLite sees it
-- only where neither the state nor the column is a question.
select /* full_row */
from river_job
where state = :state
  and finalized_at >= coalesce(:after_at, '')
  and (:after is null or finalized_at > :after_at or id > :after)
  and /* matching */
order by finalized_at, id
limit :max

-- name: list_by_end_downwards
select /* full_row */
from river_job
where state = :state
  and finalized_at <= coalesce(:after_at, '9999-12-31')
  and (:after is null or finalized_at < :after_at or id < :after)
  and /* matching */
order by finalized_at desc, id desc
limit :max

-- name: count
select state, count(*)
from river_job
where /* matching */
group by state

-- name: waiting_kinds
-- The kinds of the next jobs of one queue.
select distinct kind
from (
    select kind
    from river_job
    where state = 'available'
      and queue = :queue
    order by priority, scheduled_at, id
    limit 200
)
limit :max

-- name: runs
-- The latest jobs of a schedule, among the newest of its kind.
select /* full_row */
from river_job
where id in (
    select id
    from (select id, metadata from river_job where kind = :kind order by id desc limit 20000)
    where case when json_valid(metadata, 6) then metadata ->> '$."river:periodic_job_id"' end = :id
    order by id desc
    limit :max
)
order by id desc

-- name: asked_to_stop
-- Which of these jobs somebody asked to stop; :ids is a JSON list.
select id
from river_job
where id in (select value from json_each(:ids))
  and state = 'running'
  and json_type(iif(json_valid(metadata, 6), metadata, '{}'), '$.cancel_attempted_at') is not null

-- name: cancel
-- Cancels a job that waits and marks one that runs; a finished job is left alone.
update river_job
set state = case when state = 'running' then state else 'cancelled' end,
    finalized_at = case when state = 'running' then finalized_at else :now end,
    metadata = case
        when json_valid(metadata, 6) then jsonb_set(metadata, '$.cancel_attempted_at', :cancelled_at)
        else metadata
    end
where id = :id
  and state not in ('cancelled', 'completed', 'discarded')
  and finalized_at is null
returning state

-- name: retry
-- Makes a job available now, with an attempt left.
update river_job
set state = 'available',
    finalized_at = null,
    max_attempts = case when attempt = max_attempts then max_attempts + 1 else max_attempts end,
    scheduled_at = :now
where id = :id
  and state <> 'running'
  and (state <> 'available' or scheduled_at > :now)
returning state

-- name: reschedule
-- Lets a job that waits wait until another time.
update river_job
set scheduled_at = :at,
    state = case when :at <= :now then 'available' when state = 'retryable' then 'retryable' else 'scheduled' end
where id = :id
  and state in ('available', 'scheduled', 'retryable')
returning state

-- name: discard
-- Gives up on a job that waits.
update river_job
set state = 'discarded',
    finalized_at = :now
where id = :id
  and state not in ('running', 'cancelled', 'completed', 'discarded')
returning state

-- name: delete
delete from river_job
where id = :id
  and state <> 'running'
returning id
