-- Jobs on their way to a storage that takes part in no transaction are in ferryman's own table, made with this.
-- Each time that a briefing is begun it has a new job; there the job's id is made of both.
alter table briefings add column tries integer not null default 1;
