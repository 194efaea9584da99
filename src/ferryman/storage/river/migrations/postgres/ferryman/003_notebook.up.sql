-- What ferryman notes beside the jobs, each note for a while: numbers by the minute, who paused what,
-- how far a bulk operation is.  Nothing of River reads it.
create table if not exists /* schema */ferryman_note (
    page text not null,
    name text not null,
    text text not null,
    expires_at timestamptz not null,
    primary key (page, name)
);

create index if not exists ferryman_note_expires_at_idx
on /* schema */ferryman_note (expires_at);
