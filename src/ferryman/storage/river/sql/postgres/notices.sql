-- name: notify
-- Tells whoever listens, once this transaction is committed.  Channels carry the schema's
-- name, so that two schemas of one database do not hear each other (spec/river.md 8.1).
select given.n, pg_notify(coalesce(:schema::text, current_schema()) || '.' || given.topic, given.payload)::text
from json_to_recordset(:rows::text::json) as given (n integer, topic text, payload text)

-- name: schema_listened_to
select coalesce(:schema::text, current_schema())
