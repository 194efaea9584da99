-- When a worker last ran the heartbeat.
create table beats (
    name text primary key,
    at text not null,
    instance text not null
);
