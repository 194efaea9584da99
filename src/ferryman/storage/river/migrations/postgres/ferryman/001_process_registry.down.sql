drop table /* schema */ferryman_worker;
