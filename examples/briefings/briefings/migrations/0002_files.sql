-- A file in the object store.  Its row is there before its object is, and goes after it.
create table files (
    id text primary key,
    briefing_id text references briefings (id) on delete set null,
    name text not null,
    object_key text not null unique,
    state text not null default 'pending' check (state in ('pending', 'ready')),
    created_at text not null,
    claimed_at text,     -- set by the clean-up that is about to delete it
    delete_errors integer not null default 0,
    last_error text
);
create index files_of_briefing on files (briefing_id);
