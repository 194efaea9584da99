-- name: oldest_completed
-- When the oldest completed job ended that does not say itself how long it is kept, nor does its task (:kinds, a
-- JSON list).
select finalized_at
from river_job
where state = 'completed'
  and finalized_at is not null
  and case when json_valid(metadata, 6) then metadata ->> '$."ferryman:retention"' end is null
  and kind not in (select value from json_each(:kinds))
order by finalized_at
limit 1
