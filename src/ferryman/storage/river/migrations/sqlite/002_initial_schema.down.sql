drop table /* schema */river_leader;

drop table /* schema */river_job;
