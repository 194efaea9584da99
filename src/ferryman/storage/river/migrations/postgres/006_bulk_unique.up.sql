-- Says whether a job in this state holds its unique key.  get_bit counts from the left, so bit 7 is the
-- lowest: read from the right, the bits are the states in alphabetical order.
create function /* schema */river_job_state_in_bitmask(bitmask bit(8), state /* schema */river_job_state)
returns boolean
language sql
immutable
as $$
    select get_bit(
        bitmask,
        case state
            when 'available' then 7
            when 'cancelled' then 6
            when 'completed' then 5
            when 'discarded' then 4
            when 'pending' then 3
            when 'retryable' then 2
            when 'running' then 1
            when 'scheduled' then 0
        end
    ) = 1;
$$;

-- On a large table this index may have been built concurrently, before the migration.
alter table /* schema */river_job
add column if not exists unique_states bit(8);

create unique index if not exists river_job_unique_idx
on /* schema */river_job (unique_key)
where unique_key is not null
    and unique_states is not null
    and /* schema */river_job_state_in_bitmask(unique_states, state);

drop index /* schema */river_job_kind_unique_key_idx;
