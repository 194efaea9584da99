-- Jobs on their way to a storage that takes no part in our transactions.
create table outbox (
    id integer primary key,
    job_ref text not null unique,
    job text not null,
    created_at text not null,
    claimed_at text,     -- set by whoever is about to send it
    sent_at text,
    tries integer not null default 0,
    last_error text
);
create index outbox_unsent on outbox (id) where sent_at is null;

-- Each time that a briefing is begun it has a new job; there the job's id is made of both.
alter table briefings add column tries integer not null default 1;
