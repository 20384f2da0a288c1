-- A run that nobody can go on with is ended in a transaction of its person's, so that its trace is ended with it.
drop function hearth_settle_interrupted();

-- The runs that nobody can go on with, of everybody, whether or not somebody holds them now.
create function hearth_given_up_runs() returns table (id uuid, tenant_id uuid, person_id uuid)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select r.id, r.tenant_id, r.audience_id from run r
          where r.state is null and not hearth_goes_on(r.request, r.attempts, r.started_at, false, null, null) $$;
revoke all on function hearth_given_up_runs() from public;
grant execute on function hearth_given_up_runs() to hearth_app;

-- Ends such a run, unless somebody holds it or works in its conversation; what was added to it is not lost with it.
create function hearth_settle_run(given_up uuid) returns boolean
    language plpgsql as $$
declare r record;
begin
    select id, conversation_id, request is null as old, attempts into r from run
        where id = given_up and state is null and not hearth_goes_on(request, attempts, started_at, false, null, null) for update skip locked;
    if not found or not pg_try_advisory_xact_lock(hearth_lock_key(r.id)) or not pg_try_advisory_xact_lock(hashtextextended(r.conversation_id::text, 8)) then
        return false;
    end if;
    update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end, outcome = '{"error": "interrupted"}', finished_at = now()
        where run_id = r.id and state = 'intent';
    perform hearth_leave_inputs(r.id);
    update run set state = case when exists (select 1 from step s where s.run_id = r.id and s.state = 'unknown') then 'unknown_effect' else 'failed' end,
                   error = case when r.old then 'interrupted: the server or its database stopped while this run was working'
                                when r.attempts >= 3 then 'interrupted: the server stopped each of the ' || r.attempts || ' times that it took this run up again'
                                else 'interrupted: for a day no server could take this run up again' end,
                   epoch = epoch + 1, finished_at = now()
        where id = r.id;
    return true;
end $$;
