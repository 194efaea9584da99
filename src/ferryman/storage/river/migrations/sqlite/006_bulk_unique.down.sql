-- The placeholder has no columns to keep a job in: all jobs are lost here.
drop table /* schema */river_job;

create table /* schema */river_job (
    id integer primary key
);
