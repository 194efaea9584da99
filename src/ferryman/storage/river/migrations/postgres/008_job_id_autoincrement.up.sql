-- Nothing to do: a sequence never gives an id twice.
select 1;
