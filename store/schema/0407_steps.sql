-- A step begins and ends with one statement each. Behind the lock on its run each query of them sees what was committed until
-- then: a takeover, a stop, and the steps of parallel calls, which are numbered so.

create function hearth_begin_step(step_id uuid, of_run uuid, at_epoch bigint, its_kind text, its_name text, its_effect text, its_key text, its_input json,
                                  not_held text, begun_before text) returns void
    language plpgsql as $$
declare stopped boolean;
begin
    select stop_asked_at is not null into stopped from run where id = of_run and epoch = at_epoch and state is null for no key update;
    if not found then
        raise exception using errcode = 'serialization_failure', message = not_held;
    elsif stopped then
        raise exception using errcode = 'HS001', message = 'a stop was asked for';
    end if;
    insert into step (id, run_id, position, epoch, kind, name, effect, effect_key, input)
        select step_id, of_run, coalesce(max(position) + 1, 0), at_epoch, its_kind, its_name, its_effect, its_key, its_input from step where run_id = of_run
        on conflict (run_id, effect_key) do nothing;
    if not found then
        raise exception using errcode = 'unique_violation', message = begun_before;
    end if;
end $$;

create function hearth_end_step(step_id uuid, of_run uuid, at_epoch bigint, its_state text, its_outcome json, not_held text, ended_before text) returns void
    language plpgsql as $$
begin
    perform from run where id = of_run and epoch = at_epoch and state is null for no key update;
    if not found then
        raise exception using errcode = 'serialization_failure', message = not_held;
    end if;
    update step set state = its_state, outcome = its_outcome, finished_at = clock_timestamp()
        where id = step_id and run_id = of_run and epoch = at_epoch and state = 'intent';
    if not found then
        raise exception using errcode = 'serialization_failure', message = ended_before;
    end if;
end $$;

-- Whose tenant what belongs to a run is, the policies say, and the run's own key that there is such a tenant. Of a key of their own
-- each row that was written locked the one row of the tenant, and with it all transactions at work waited for each other's entries there.
do $$
declare t text;
begin
    foreach t in array array['step', 'span', 'span_body', 'telemetry_event', 'model_usage', 'run_event'] loop
        execute format('alter table %I drop constraint %I', t, t || '_tenant_id_fkey');
    end loop;
end $$;
