-- name: notes
-- The notes of some pages; :pages is a JSON list.
select page, name, text
from /* schema */ferryman_note
where page in (select value from jsonb_array_elements_text(:pages::jsonb))
  and expires_at > :now::timestamptz

-- name: note
with given as (
    select *
    from json_to_recordset(:rows::json) as g (n integer, page text, name text, text text, expires_at timestamptz)
)

insert into /* schema */ferryman_note as kept (page, name, text, expires_at)
select page, name, text, expires_at
from given
order by page, name
on conflict (page, name) do update
set text = excluded.text,
    expires_at = excluded.expires_at
returning (select given.n from given where given.page = kept.page and given.name = kept.name)

-- name: claim_note
-- Writes a note unless one that is still good has its name, and answers what stands there.
insert into /* schema */ferryman_note as kept (page, name, text, expires_at)
values (:page::text, :name::text, :text::text, :expires_at::timestamptz)
on conflict (page, name) do update
set text = case when kept.expires_at > :now::timestamptz then kept.text else excluded.text end,
    expires_at = case when kept.expires_at > :now::timestamptz then kept.expires_at else excluded.expires_at end
returning text

-- name: erase_notes
-- Strikes out notes of a page; :names is a JSON list.
delete from /* schema */ferryman_note
where page = :page::text
  and name in (select value from jsonb_array_elements_text(:names::jsonb))
returning name

-- name: prune_notes
delete from /* schema */ferryman_note
where expires_at <= :now::timestamptz
returning name
