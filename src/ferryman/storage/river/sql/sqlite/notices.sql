-- name: notify
insert into river_notification (created_at, payload, topic)
values (:now, :payload, :topic)
returning id

-- name: last_notice
select coalesce(max(id), 0) from river_notification

-- name: notices
select id, topic, payload
from river_notification
where id > :after
order by id
limit 500

-- name: prune_notices
delete from river_notification
where id in (select id from river_notification where created_at < :horizon order by id limit 10000)
returning id
