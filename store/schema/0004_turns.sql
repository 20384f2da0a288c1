-- The turns of a conversation run one after the other: which run works in it is asked before each.

create index run_working on run (conversation_id) where state is null;

create or replace function hearth_settle_interrupted() returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare r record;
begin
    for r in select id from run where state is null order by id for update skip locked loop
        if pg_try_advisory_xact_lock(hearth_lock_key(r.id)) then
            update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end,
                            outcome = '{"error": "interrupted"}', finished_at = now()
                where run_id = r.id and state = 'intent';
            update run set state = case when exists (select 1 from step s where s.run_id = r.id and s.state = 'unknown')
                                        then 'unknown_effect' else 'failed' end,
                           error = 'interrupted: the server or its database stopped while this run was working',
                           epoch = epoch + 1, finished_at = now()
                where id = r.id;
            return next r.id;
        end if;
    end loop;
end $$;
