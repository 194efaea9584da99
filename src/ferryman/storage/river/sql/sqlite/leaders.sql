-- name: expire_leader
delete from river_leader
where expires_at < :now
returning leader_id

-- name: seek_leadership
-- Takes the one row if it is free.  elected_at names the term from here on.
insert into river_leader (elected_at, expires_at, leader_id)
values (:now, strftime('%Y-%m-%d %H:%M:%f', :now, '+' || :lease || ' seconds'), :leader)
on conflict (name) do nothing
returning elected_at

-- name: keep_leadership
-- Prolongs a term that has not run out: one that has cannot be brought back.
update river_leader
set expires_at = strftime('%Y-%m-%d %H:%M:%f', :now, '+' || :lease || ' seconds')
where unixepoch(elected_at, 'subsec') = unixepoch(:term, 'subsec')
  and expires_at >= :now
  and leader_id = :leader
returning elected_at

-- name: resign
delete from river_leader
where unixepoch(elected_at, 'subsec') = unixepoch(:term, 'subsec')
  and leader_id = :leader
returning leader_id

-- name: leader
select leader_id, expires_at
from river_leader
