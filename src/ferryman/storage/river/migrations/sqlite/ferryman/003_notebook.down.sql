drop table /* schema */ferryman_note;
