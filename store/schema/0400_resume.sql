-- A run whose process went away goes on in another one, from what it was asked with and from the outcomes of its steps.

alter table run
    add column request json,  -- what a message does not hold; null: the run is of a program that could not take it up again
    add column attempts integer not null default 0,  -- how often it was taken over since a step of it had an outcome
    add column pinned boolean not null default true;  -- it works in a folder of its node
grant update (attempts) on run to hearth_app;
grant update (epoch) on step to hearth_app;  -- of a step without outcome, when its run is taken over

-- Whether a run without state can be gone on with on that node. Often tried in vain, or a day old, it is not.
create function hearth_goes_on(request json, attempts integer, started timestamptz, pinned boolean, home uuid, here uuid) returns boolean
    language sql stable
    as $$ select request is not null and attempts < 3 and started > now() - interval '1 day' and (not pinned or home is not distinct from here) $$;

-- All runs without state, of everybody, whether or not somebody holds them now.
create function hearth_open_runs(here uuid)
    returns table (id uuid, tenant_id uuid, person_id uuid, conversation_id uuid, goes_on boolean)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select r.id, r.tenant_id, r.audience_id, r.conversation_id,
                 hearth_goes_on(r.request, r.attempts, r.started_at, r.pinned, r.node_id, here)
          from run r where r.state is null $$;

-- Ends the runs that nobody holds and nobody can go on with.
create or replace function hearth_settle_interrupted() returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare r record;
begin
    for r in select id, request is null as old, attempts from run
             where state is null and not hearth_goes_on(request, attempts, started_at, false, null, null)
             order by id for update skip locked loop
        if pg_try_advisory_xact_lock(hearth_lock_key(r.id)) then
            update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end,
                            outcome = '{"error": "interrupted"}', finished_at = now()
                where run_id = r.id and state = 'intent';
            update run set state = case when exists (select 1 from step s where s.run_id = r.id and s.state = 'unknown')
                                        then 'unknown_effect' else 'failed' end,
                           error = case when r.old then 'interrupted: the server or its database stopped while this run was working'
                                        when r.attempts >= 3 then 'interrupted: the server stopped each of the ' || r.attempts || ' times that it took this run up again'
                                        else 'interrupted: for a day no server could take this run up again' end,
                           epoch = epoch + 1, finished_at = now()
                where id = r.id;
            return next r.id;
        end if;
    end loop;
end $$;

revoke all on function hearth_open_runs(uuid) from public;
grant execute on function hearth_open_runs(uuid) to hearth_app;
