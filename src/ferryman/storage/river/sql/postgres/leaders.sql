-- name: expire_leader
delete from /* schema */river_leader
where expires_at < coalesce(:now::timestamptz, now())
returning leader_id

-- name: seek_leadership
-- Takes the one row if it is free.  elected_at names the term from here on.
insert into /* schema */river_leader (elected_at, expires_at, leader_id)
values (
    coalesce(:now::timestamptz, now()),
    coalesce(:now::timestamptz, now()) + :lease::double precision * interval '1 second',
    :leader::text
)
on conflict (name) do nothing
returning (elected_at at time zone 'UTC')::text

-- name: keep_leadership
-- Prolongs a term that has not run out: one that has cannot be brought back.
update /* schema */river_leader
set expires_at = coalesce(:now::timestamptz, now()) + :lease::double precision * interval '1 second'
where elected_at = :term::text::timestamp at time zone 'UTC'
  and expires_at >= coalesce(:now::timestamptz, now())
  and leader_id = :leader::text
returning (elected_at at time zone 'UTC')::text

-- name: resign
delete from /* schema */river_leader
where elected_at = :term::text::timestamp at time zone 'UTC'
  and leader_id = :leader::text
returning leader_id

-- name: leader
-- Who leads, and until when unless it says so again.
select leader_id, (expires_at at time zone 'UTC')::text from /* schema */river_leader
