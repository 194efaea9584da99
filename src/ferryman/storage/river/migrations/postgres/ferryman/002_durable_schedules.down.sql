drop table /* schema */ferryman_schedule;
