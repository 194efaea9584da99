-- part: told
-- Tells whoever listens, once this transaction is committed.  Channels carry the schema's name, so that two
-- schemas of one database do not hear each other (spec/river.md 8.1).
told as materialized (
    select pg_notify(coalesce(:schema::text, current_schema()) || '.' || tells.topic, tells.payload)::text
    from json_to_recordset(:tells::text::json) as tells (topic text, payload text)
)

-- part: as_told
-- A query that nobody refers to is not run.
(select count(*) from told) >= 0

-- part: held
-- Whether the job keeps others with its unique key out: exactly the predicate of river_job_unique_idx.
unique_key is not null
and unique_states is not null
and /* schema */river_job_state_in_bitmask(unique_states, state)

-- part: running_row
-- Everything but numbers goes out as text, which is read leniently: one row that nobody can
-- read, such as a time of infinity, must not cost a whole fetch.
job.id,
job.kind,
job.args::text,
job.attempt,
job.max_attempts,
job.queue,
(job.scheduled_at at time zone 'UTC')::text,
(job.created_at at time zone 'UTC')::text,
job.priority,
job.metadata::text,
array_to_json(job.errors)::text,
array_to_json(job.tags)::text

-- part: full_row
/* running_row */,
job.state::text,
(job.attempted_at at time zone 'UTC')::text,
(job.finalized_at at time zone 'UTC')::text,
array_to_json(job.attempted_by)::text,
job.unique_key,
job.unique_states::integer

-- name: insert
-- Stores jobs.  Gives no row for one when a job with the same unique key is there in a state
-- that its own mask names: then nothing is changed, the older job's kind included.
-- What inserting sends is text first: the caller's driver may write json in a way of its own.
with given as materialized (
    select g.*, coalesce(g.id, nextval('/* schema */river_job_id_seq')) as job_id
    from json_to_recordset(:rows::text::json) as g (
        n integer, id bigint, args text, created_at timestamptz, kind text, max_attempts bigint, metadata text,
        priority smallint, queue text, scheduled_at timestamptz, state text, tags text, unique_key text,
        unique_states integer
    )
),

stored as (
    insert into /* schema */river_job (
        id, args, created_at, kind, max_attempts, metadata, priority, queue,
        scheduled_at, state, tags, unique_key, unique_states
    )
    select
        job_id, args::jsonb, created_at, kind, least(max_attempts, 32767), metadata::jsonb, priority, queue,
        scheduled_at, state::/* schema */river_job_state,
        array(select json_array_elements_text(tags::json))::varchar(255) [],
        decode(unique_key, 'base64'), unique_states::bit(8)
    from given
    order by n
    on conflict (unique_key) where /* held */ do nothing
    returning id
),

/* told */

select given.n, stored.id
from given
inner join stored on stored.id = given.job_id
where /* as_told */

-- name: insert_plain
-- Stores many jobs that have neither a unique key nor an id of their own.  :rows is a JSON
-- list of lists, in the order of the columns.
with stored as (
    insert into /* schema */river_job (
        args, created_at, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags
    )
    select
        (value ->> 0)::jsonb, (value ->> 1)::timestamptz, value ->> 2, least((value ->> 3)::bigint, 32767),
        (value ->> 4)::jsonb, (value ->> 5)::smallint, value ->> 6, (value ->> 7)::timestamptz,
        (value ->> 8)::/* schema */river_job_state,
        case
            when value ->> 9 = '[]' then '{}'
            else array(select json_array_elements_text((value ->> 9)::json))
        end::varchar(255) []
    from jsonb_array_elements(:rows::text::jsonb) with ordinality as given (value, n)
    order by n
    returning id
),

/* told */

select id
from stored
where /* as_told */

-- name: unique_holder
-- Finds the job that keeps others with this unique key out: there is at most one.
select id, state::text
from /* schema */river_job
where unique_key = :unique_key::bytea
  and id <> :but_not::bigint
  and /* held */

-- name: key_of
-- The unique key of one job, which may be null; no row when there is no such job.
select unique_key
from /* schema */river_job
where id = :id::bigint

-- name: fetch
-- Takes up to :max jobs of one queue that are due and marks them running, unless the
-- queue is paused.  The attempt counts from here.  :kinds is a JSON list, or null for any.
with taken as materialized (
    select id
    from /* schema */river_job
    where state = 'available'
      and queue = :queue::text
      and priority >= 0
      and scheduled_at <= coalesce(:now::timestamptz, now())
      and (:kinds::jsonb is null or :kinds::jsonb ? kind)
      and not exists (
          select from /* schema */river_queue where name = :queue::text and paused_at is not null
      )
    order by priority, scheduled_at, id
    limit :max::integer
    for update skip locked
)

update /* schema */river_job as job
set state = 'running',
    attempt = attempt + 1,
    attempted_at = coalesce(:now::timestamptz, now()),
    attempted_by = array_append(
        case
            when cardinality(attempted_by) >= 100 then attempted_by[cardinality(attempted_by) - 98:]
            else attempted_by
        end,
        :worker::text
    )
where id = any(array(select id from taken))
returning /* running_row */, 1

-- part: free_ids
select id
from /* schema */river_job
where id = any(array(select value::bigint from json_array_elements_text(:ids::json)))
for update skip locked

-- name: hold
-- Locks those of these jobs (:ids is a JSON list) that nobody else holds, and says which:
-- one row that somebody has locked must not hold up a whole batch.
/* free_ids */

-- name: wait_for
-- Returns when nobody else holds this job.  Who looks at the server sees that it waits, and for whom.
select id
from /* schema */river_job
where id = :id::bigint
for no key update

-- name: still_running
-- Which of these jobs run, and in which attempt.
select id, attempt
from /* schema */river_job
where id = any(array(select value::bigint from json_array_elements_text(:ids::json)))
  and state::text = 'running'

-- name: complete
-- Marks jobs completed, each if it still is the same running attempt.  :ids is a JSON list
-- of jobs that are all in their :attempt.  An array is always looked up by the primary key,
-- a join is not; and states are compared as text here and below, so that nobody looks at
-- every running job instead of at these, which doubled the cost.
update /* schema */river_job
set state = 'completed',
    finalized_at = :now::timestamptz
where id = any(array(/* free_ids */))
  and state::text = 'running'
  and attempt = :attempt::smallint
returning id

-- name: settle
-- Writes any outcome of jobs that still are the same running attempt (spec/river.md 5.4).
-- A job that was asked to stop meanwhile is cancelled rather than put off; River does not
-- look at that when it becomes available at once, and neither do we.
with given as (
    select *
    from json_to_recordset(:rows::json) as g (
        n integer, id bigint, attempt smallint, state text, attempt_after smallint, finalized_at timestamptz,
        scheduled_at timestamptz, error text, snoozes bigint, now timestamptz
    )
),

stopping as materialized (
    select
        given.n,
        job.id,
        given.state in ('retryable', 'scheduled')
            and jsonb_typeof(job.metadata) = 'object'
            and job.metadata ? 'cancel_attempted_at' as stopped
    from given
    inner join /* schema */river_job as job on job.id = given.id
    order by job.id
    for update of job
)

update /* schema */river_job as job
set state = case when stopped then 'cancelled' else given.state end::/* schema */river_job_state,
    attempt = case when stopped then job.attempt else given.attempt_after end,
    finalized_at = case when stopped then given.now else given.finalized_at end,
    scheduled_at = case when stopped then job.scheduled_at else coalesce(given.scheduled_at, job.scheduled_at) end,
    errors = case when given.error is null then job.errors else array_append(job.errors, given.error::jsonb) end,
    metadata = case
        when given.snoozes is null or jsonb_typeof(job.metadata) <> 'object' then job.metadata
        else job.metadata || jsonb_build_object('snoozes', given.snoozes)
    end
from given
inner join stopping on stopping.n = given.n
where job.id = given.id
  and job.state::text = 'running'
  and job.attempt = given.attempt
returning given.n, job.state::text

-- name: record
-- Keeps what tasks recorded, whatever became of the jobs meanwhile.  `recorded` is a list of
-- pairs, a name and JSON as text.
update /* schema */river_job as job
set metadata = job.metadata || (
        select jsonb_object_agg(pair ->> 0, (pair ->> 1)::jsonb) from json_array_elements(given.recorded) as pair
    )
from json_to_recordset(:rows::json) as given (n integer, id bigint, attempt smallint, recorded json)
where job.id = given.id
  and job.attempt = given.attempt
  and jsonb_typeof(job.metadata) = 'object'
returning given.n, job.state::text

-- name: due
-- Jobs whose time comes before :horizon, in the order in which they would run.
select id, queue, (scheduled_at at time zone 'UTC')::text, unique_key, unique_states::integer
from /* schema */river_job
where state in ('retryable', 'scheduled')
  and priority >= 0
  and scheduled_at <= :horizon::timestamptz
order by priority, scheduled_at, id
limit :max::integer
for update

-- name: promote
-- Makes due jobs available.
update /* schema */river_job as job
set state = 'available'
from json_to_recordset(:rows::json) as given (n integer, id bigint)
where job.id = given.id
  and job.state::text in ('retryable', 'scheduled')
returning given.n, job.state::text

-- name: promote_loser
-- Discards due jobs because others with their unique keys are there (spec/river.md 6.5).
update /* schema */river_job as job
set state = 'discarded',
    finalized_at = given.horizon,
    metadata = case
        when jsonb_typeof(job.metadata) <> 'object' then job.metadata
        else job.metadata || '{"unique_key_conflict": "scheduler_discarded"}'
    end
from json_to_recordset(:rows::json) as given (n integer, id bigint, horizon timestamptz)
where job.id = given.id
  and job.state::text in ('retryable', 'scheduled')
returning given.n, job.state::text

-- name: stuck
-- Running jobs that were taken before :horizon.
select /* full_row */
from /* schema */river_job as job
where state = 'running'
  and attempted_at < :horizon::timestamptz
  and id > :after::bigint
order by id
limit :max::integer

-- name: orphaned
-- Running jobs that were taken last by a worker of ours which has not beaten since :horizon.
-- Go's workers have no place in our registry, so their jobs are not among them.
select /* full_row */
from /* schema */river_job as job
where state = 'running'
  and id > :after::bigint
  and attempted_by[cardinality(attempted_by)] in (
      select worker.id
      from /* schema */ferryman_worker as worker
      where worker.beat_at < :horizon::timestamptz
        and worker.expires_at < :now::timestamptz
  )
order by id
limit :max::integer

-- name: rescue
-- Takes back jobs whose worker is gone, each if it still is the same attempt.
update /* schema */river_job as job
set state = given.state::/* schema */river_job_state,
    finalized_at = given.finalized_at,
    scheduled_at = coalesce(given.scheduled_at, job.scheduled_at),
    errors = array_append(job.errors, given.error::jsonb),
    metadata = case
        when jsonb_typeof(job.metadata) <> 'object' then job.metadata
        when jsonb_typeof(job.metadata -> 'river:rescue_count') = 'number'
            then job.metadata
                || jsonb_build_object('river:rescue_count', trunc((job.metadata ->> 'river:rescue_count')::numeric) + 1)
        else job.metadata || '{"river:rescue_count": 1}'
    end
from json_to_recordset(:rows::json) as given (
    n integer, id bigint, attempt smallint, attempted_at timestamptz, state text, finalized_at timestamptz,
    scheduled_at timestamptz, error text
)
where job.id = given.id
  and job.state::text = 'running'
  and job.attempt = given.attempt
  and job.attempted_at is not distinct from coalesce(given.attempted_at, job.attempted_at)
returning given.n, job.state::text

-- name: prune
-- Deletes jobs of one final state past its horizon, but for those that say themselves how
-- long they are kept, or whose task does (:kinds, seconds by kind): they are prune_own's.
delete from /* schema */river_job
where id = any(array(
    select id
    from /* schema */river_job
    where state = :state::text::/* schema */river_job_state
      and finalized_at <= :horizon::timestamptz
      and (
          state <> 'completed'
          or not (metadata ? 'ferryman:retention' or :kinds::jsonb ? kind)
      )
    limit :max::integer
    for update skip locked
))
returning id

-- name: prune_own
-- Deletes completed jobs past the time that they, or else their tasks, give.  It reads every
-- completed job, so it is not run often.
delete from /* schema */river_job
where id = any(array(
    select id
    from /* schema */river_job
    where state = 'completed'
      and finalized_at <= :now::timestamptz - interval '1 second' * case
          when jsonb_typeof(metadata -> 'ferryman:retention') = 'number'
              then (metadata ->> 'ferryman:retention')::double precision
          else (:kinds::jsonb ->> kind)::double precision
      end
    limit :max::integer
    for update skip locked
))
returning id

-- name: get
select /* full_row */
from /* schema */river_job as job
where id = :id::bigint

-- name: jobs_of
-- Jobs by a JSON list of ids, in no order.
select /* full_row */
from /* schema */river_job as job
where job.id in (select value::bigint from json_array_elements_text(:ids::json))

-- part: matching
-- What a filter lets through.  Each part of it is null for any, or an array as text, of which Postgres sees at once how
-- rare it is; all of :tags must be there.
(:state::text is null or job.state = :state::text::/* schema */river_job_state)
and (:states::text is null or job.state = any(:states::text::/* schema */river_job_state []))
and (:queues::text is null or job.queue = any(:queues::text::text []))
and (:kinds::text is null or job.kind = any(:kinds::text::text []))
and (:ids::text is null or job.id = any(:ids::text::bigint []))
and (:priorities::text is null or job.priority = any(:priorities::text::smallint []))
and (:tags::text is null or job.tags @> :tags::text::varchar(255) [])
and (:metadata::jsonb is null or job.metadata @> :metadata::jsonb)
and (:since::timestamptz is null or job.created_at >= :since::timestamptz)
and (:before::timestamptz is null or job.created_at < :before::timestamptz)

-- part: matched
job.id, job.state, job.queue, job.kind, job.priority, job.tags, job.metadata, job.created_at

-- part: at
case :by::text
    when 'scheduled_at' then job.scheduled_at when 'attempted_at' then job.attempted_at else job.finalized_at
end

-- name: list_upwards
-- A page of jobs by id, after the job :after.  Five thousand are looked through first: what is asked for is
-- mostly among them.  Where it is not, walking on along the ids could mean reading the whole table, so then the
-- index that fits the filter gives all ids that do, and they are sorted.
with near as materialized (
    select job.id
    from (
        select /* matched */
        from /* schema */river_job as job
        where :after::bigint is null
           or job.id > :after::bigint
        order by job.id
        limit 5000
    ) as job
    where /* matching */
    order by job.id
    limit :max::integer
),

far as (
    select job.id
    from /* schema */river_job as job
    where /* matching */
      and (
          :after::bigint is null
          or job.id > :after::bigint
      )
    order by job.id + 0
    limit :max::integer
)

select /* full_row */
from /* schema */river_job as job
where job.id = any(array(
    select id from near
    union all
    select id from far where (select count(*) from near) < :max::integer
))
order by job.id

-- name: list_downwards
-- The same, before the job :after.
with near as materialized (
    select job.id
    from (
        select /* matched */
        from /* schema */river_job as job
        where :after::bigint is null
           or job.id < :after::bigint
        order by job.id desc
        limit 5000
    ) as job
    where /* matching */
    order by job.id desc
    limit :max::integer
),

far as (
    select job.id
    from /* schema */river_job as job
    where /* matching */
      and (
          :after::bigint is null
          or job.id < :after::bigint
      )
    order by job.id + 0 desc
    limit :max::integer
)

select /* full_row */
from /* schema */river_job as job
where job.id = any(array(
    select id from near
    union all
    select id from far where (select count(*) from near) < :max::integer
))
order by job.id desc

-- name: list_by_time_upwards
-- A page of jobs by one of their times, after the job :after with the time :after_at.  Those without it come last.
select /* full_row */
from /* schema */river_job as job
where /* matching */
  and (/* at */ is null or (:after::bigint is null or /* at */ >= :after_at::timestamptz))
  and (
      :after::bigint is null
      or /* at */ is distinct from :after_at::timestamptz
      or job.id > :after::bigint
  )
order by /* at */ nulls last, job.id
limit :max::integer

-- name: list_by_time_downwards
select /* full_row */
from /* schema */river_job as job
where /* matching */
  and (
      :after_at::timestamptz is null
      or /* at */ <= :after_at::timestamptz
  )
  and (
      :after::bigint is null
      or /* at */ is distinct from :after_at::timestamptz
      or job.id < :after::bigint
  )
order by /* at */ desc nulls first, job.id desc
limit :max::integer

-- name: list_by_end_upwards
-- A page of jobs of one state that is an end, by when they ended: the order of an index.
select /* full_row */
from /* schema */river_job as job
where job.state = :state::text::/* schema */river_job_state
  and job.finalized_at >= coalesce(:after_at::timestamptz, '-infinity')
  and (:after::bigint is null or job.finalized_at > :after_at::timestamptz or job.id > :after::bigint)
  and /* matching */
order by job.finalized_at, job.id
limit :max::integer

-- name: list_by_end_downwards
select /* full_row */
from /* schema */river_job as job
where job.state = :state::text::/* schema */river_job_state
  and job.finalized_at <= coalesce(:after_at::timestamptz, 'infinity')
  and (:after::bigint is null or job.finalized_at < :after_at::timestamptz or job.id < :after::bigint)
  and /* matching */
order by job.finalized_at desc, job.id desc
limit :max::integer

-- name: count
select job.state::text, count(*)
from /* schema */river_job as job
where /* matching */
group by job.state

-- name: waiting_kinds
-- The kinds of the next jobs of one queue.
select distinct kind
from (
    select kind
    from /* schema */river_job
    where state = 'available'
      and queue = :queue::text
    order by priority, scheduled_at, id
    limit 200
) as next
limit :max::integer

-- name: runs
-- The latest jobs of a schedule.
select /* full_row */
from /* schema */river_job as job
where metadata @> jsonb_build_object('river:periodic_job_id', :id::text)
  and kind = :kind::text
order by id desc
limit :max::integer

-- name: asked_to_stop
-- Which of these jobs somebody asked to stop; :ids is a JSON list.
select id
from /* schema */river_job
where id in (select value::bigint from json_array_elements_text(:ids::json))
  and state = 'running'
  and metadata ? 'cancel_attempted_at'

-- name: cancel
-- Cancels a job that waits and marks one that runs; a finished job is left alone.
update /* schema */river_job
set state = case when state = 'running' then state else 'cancelled' end,
    finalized_at = case when state = 'running' then finalized_at else :now::timestamptz end,
    metadata = case
        when jsonb_typeof(metadata) <> 'object' then metadata
        else metadata || jsonb_build_object('cancel_attempted_at', :cancelled_at::text)
    end
where id = :id::bigint
  and state not in ('cancelled', 'completed', 'discarded')
  and finalized_at is null
returning state::text

-- name: retry
-- Makes a job available now, with an attempt left.
update /* schema */river_job
set state = 'available',
    finalized_at = null,
    max_attempts = case when attempt = max_attempts then max_attempts + 1 else max_attempts end,
    scheduled_at = :now::timestamptz
where id = :id::bigint
  and state <> 'running'
  and (state <> 'available' or scheduled_at > :now::timestamptz)
returning state::text

-- name: reschedule
-- Lets a job that waits wait until another time.
update /* schema */river_job
set scheduled_at = :at::timestamptz,
    state = case
        when :at::timestamptz <= :now::timestamptz then 'available'
        when state = 'retryable' then 'retryable'
        else 'scheduled'
    end::/* schema */river_job_state
where id = :id::bigint
  and state in ('available', 'scheduled', 'retryable')
returning state::text

-- name: discard
-- Gives up on a job that waits.
update /* schema */river_job
set state = 'discarded',
    finalized_at = :now::timestamptz
where id = :id::bigint
  and state not in ('running', 'cancelled', 'completed', 'discarded')
returning state::text

-- name: delete
delete from /* schema */river_job
where id = :id::bigint
  and state <> 'running'
returning id
