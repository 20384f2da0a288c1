-- A thread is a long-lived line of work over a conversation, and has its id. Whether it works its runs tell.

create table thread (
    id uuid primary key references conversation,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    label text not null default '',
    rule text not null default 'queue' check (rule in ('queue', 'steer', 'interrupt', 'refuse')),  -- for a message while a run works
    state text check (state in ('ended', 'cancelled')),  -- null: it takes messages
    parent_run uuid references run,  -- of a child: the run that spawned it
    parent_call text,                -- and by which call
    depth integer not null default 0 check (depth >= 0),
    output_tokens integer,           -- of a child: what it may use, carved from its parent's
    threads integer not null default 0,
    ends_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    unique (parent_run, parent_call),
    check ((parent_run is null) = (parent_call is null)),
    check ((parent_run is null) = (depth = 0)),
    check ((state is null) = (ended_at is null))
);
create index thread_recent on thread (tenant_id, audience_id, created_at desc);
create index thread_ends on thread (ends_at) where state is null and ends_at is not null;
create index run_of_conversation on run (conversation_id);
insert into thread (id, tenant_id, audience_id, created_at) select id, tenant_id, audience_id, created_at from conversation;

alter table thread enable row level security;
alter table thread force row level security;
create policy owner_all on thread to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on thread to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select, insert, update (label, rule, state, ended_at) on thread to hearth_app;
grant update (run_id) on run_key to hearth_app;

-- What was added to a run that ends without having read it: words of the conversation, which its next turn reads. Lock the
-- conversation first.
create function hearth_leave_inputs(ending uuid) returns void language plpgsql as $$
begin
    insert into message (id, tenant_id, audience_id, conversation_id, run_id, position, role, body)
        select gen_random_uuid(), i.tenant_id, i.audience_id, r.conversation_id, r.id,
               (select coalesce(max(m.position), -1) from message m where m.conversation_id = r.conversation_id) + row_number() over (order by i.position), 'user',
               (case when i.via like 'thread:%' then json_build_object('role', 'user', 'content', i.body, 'trusted', false)
                     else json_build_object('role', 'user', 'content', i.body) end)::text
        from run_input i join run r on r.id = i.run_id where i.run_id = ending and i.taken_by is null;
    update run_input set taken_by = 'history' where run_id = ending and taken_by is null;
end $$;

-- As before; and what was added to such a run is not lost with it.
create or replace function hearth_settle_interrupted() returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare r record;
begin
    for r in select id, conversation_id, request is null as old, attempts from run
             where state is null and not hearth_goes_on(request, attempts, started_at, false, null, null)
             order by id for update skip locked loop
        if pg_try_advisory_xact_lock(hearth_lock_key(r.id)) and pg_try_advisory_xact_lock(hashtextextended(r.conversation_id::text, 8)) then
            update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end,
                            outcome = '{"error": "interrupted"}', finished_at = now()
                where run_id = r.id and state = 'intent';
            perform hearth_leave_inputs(r.id);
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

-- Asks the runs of threads whose time is over to stop, of everybody; one that rests goes on, to end.
create function hearth_stop_expired_threads() returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare r record;
begin
    for r in select run.id from thread t join run on run.conversation_id = t.id
             where t.state is null and t.ends_at <= clock_timestamp() and run.stop_asked_at is null and (run.state is null or run.state = 'waiting_person')
             order by run.id for update of run skip locked loop
        update run set stop_asked_at = clock_timestamp(), state = null, finished_at = null where id = r.id;
        perform pg_notify('hearth', 'stop ' || r.id);
        return next r.id;
    end loop;
end $$;
revoke all on function hearth_stop_expired_threads() from public;
grant execute on function hearth_stop_expired_threads() to hearth_app;
