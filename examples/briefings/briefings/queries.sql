-- Every statement of the program, by name.  `job_ref` is the address of the briefing's own job, stored in the
-- transaction that enqueues it.  What a job does to a briefing it does by that address, so a job that was
-- enqueued twice, or that "Try again" has replaced, changes nothing.

-- name: latest
select * from briefings order by created_at desc limit 50;

-- name: unfinished
-- A job that is still in the outbox is neither over nor gone.
select *
from briefings
where status in ('queued', 'processing')
  and not exists (select 1 from outbox where outbox.job_ref = briefings.job_ref and sent_at is null);

-- name: briefing
select * from briefings where id = :id;

-- name: briefing_of_job
select * from briefings where job_ref = :job;

-- name: briefing_of_key
-- An Idempotency-Key stands for its briefing for a day.
select * from briefings where idempotency_key = :key and created_at > :horizon;

-- name: forget_key
update briefings set idempotency_key = null where idempotency_key = :key;

-- name: create
insert into briefings (id, topic, idempotency_key, created_at) values (:id, :topic, :key, :now);

-- name: belongs_to
update briefings set job_ref = :job where id = :id;

-- name: begin
-- An attempt begins.  A failed briefing is taken up again: an operator may have retried its job.
update briefings
set status = 'processing',
    attempt = :attempt,
    max_attempts = :max_attempts,
    started_at = coalesce(started_at, :now),
    next_attempt_at = null,
    error_message = null,
    finished_at = null
where id = :id and job_ref = :job and status != 'completed'
returning *;

-- name: complete
update briefings
set status = 'completed', content = :content, finished_at = :now, last_error = null
where id = :id and job_ref = :job and status = 'processing';

-- name: try_again_later
-- This attempt did not work.  When the next has begun already, there is nothing to say about this one.
update briefings
set last_error = :error, next_attempt_at = :at
where job_ref = :job and attempt = :attempt and status = 'processing';

-- name: put_back
-- A stopping worker gave the job back: this attempt did not count.
update briefings
set status = 'queued', attempt = :attempt - 1
where job_ref = :job and attempt = :attempt and status = 'processing';

-- name: fail
-- The job gave up, unless a later attempt has begun.
update briefings
set status = 'failed', error_message = :message, last_error = null, next_attempt_at = null, finished_at = :now
where job_ref = :job and attempt <= :attempt and status in ('queued', 'processing');

-- name: reset
-- A failed briefing gets a new start.
update briefings
set status = 'queued',
    tries = tries + 1,
    attempt = 0,
    job_ref = null,
    error_message = null,
    started_at = null,
    finished_at = null
where id = :id and status = 'failed';

-- name: delete
-- Its files stay, and become orphans.
delete from briefings where id = :id;

-- name: files_of_briefing
select name from files where briefing_id = :id and state = 'ready' order by created_at;

-- name: announce_file
insert into files (id, briefing_id, name, object_key, created_at)
select :file, id, :name, :key, :now from briefings where id = :id;

-- name: file_is_there
-- Nothing is attached to what the clean-up has claimed.
update files set state = 'ready' where id = :file and briefing_id is not null and claimed_at is null;

-- name: claim_orphans
-- Takes some that belong to no briefing, or whose upload was never finished, and that this run has not seen.
update files
set claimed_at = :began
where id in (
    select id
    from files
    where (briefing_id is null or state = 'pending')
      and created_at < :horizon
      and (claimed_at is null or claimed_at < :began)
    limit 100
)
returning id, object_key;

-- name: could_not_delete
update files set delete_errors = delete_errors + 1, last_error = :error where id = :id;

-- name: delete_file
delete from files where id = :id and claimed_at is not null;

-- name: beat
insert into beats (name, at, instance) values ('worker', :now, :instance)
on conflict (name) do update set at = excluded.at, instance = excluded.instance;

-- name: last_beat
select max(at) from beats;

-- name: oldest_unsent
select cast(min(created_at) as text) from outbox where sent_at is null;
