-- name: notes
-- The notes of some pages; :pages is a JSON list.
select page, name, text
from ferryman_note
where page in (select value from json_each(:pages))
  and expires_at > :now

-- name: note
insert into ferryman_note (page, name, text, expires_at)
values (:page, :name, :text, :expires_at)
on conflict (page, name) do update
set text = excluded.text,
    expires_at = excluded.expires_at
returning name

-- name: claim_note
-- Writes a note unless one that is still good has its name, and answers what stands there.
insert into ferryman_note (page, name, text, expires_at)
values (:page, :name, :text, :expires_at)
on conflict (page, name) do update
set text = case when ferryman_note.expires_at > :now then ferryman_note.text else excluded.text end,
    expires_at = case when ferryman_note.expires_at > :now then ferryman_note.expires_at else excluded.expires_at end
returning text

-- name: erase_notes
-- Strikes out notes of a page; :names is a JSON list.
delete from ferryman_note
where page = :page
  and name in (select value from json_each(:names))
returning name

-- name: prune_notes
delete from ferryman_note
where expires_at <= :now
returning name
