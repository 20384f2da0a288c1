-- What is to be done when, and each time that it came due.

create table schedule (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),  -- whose it is: it runs with that person's permissions
    said text not null check (length(said) between 1 and 200),  -- when, as it was asked for
    cron text not null,                                 -- '': once
    zone text not null,
    prompt text not null check (length(prompt) between 1 and 4000),
    agent text not null,
    missed text not null check (missed in ('skip', 'once', 'all')),
    silent boolean not null,
    trusted boolean not null,                           -- what it was made from
    bridge text not null,                               -- where the answer goes; '': it is kept with its run
    chat text not null,
    digest text not null,                               -- of what is asked, when and for where: there is one of each
    paused boolean not null default false,
    next_at timestamptz,                                -- null: it never comes due again
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    check ((bridge = '') = (chat = '')),
    check ((next_at is null) = (ended_at is not null))
);
create unique index schedule_once on schedule (tenant_id, audience_id, digest) where ended_at is null;
create index schedule_due on schedule (tenant_id, next_at) where not paused and ended_at is null;

-- due → working → done; or skipped, or refused.
create table schedule_fire (
    schedule_id uuid not null references schedule,
    instant timestamptz not null,                       -- for which it is; of one on demand, when it was asked for
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    state text not null check (state in ('due', 'working', 'done', 'skipped', 'refused')),
    run_id uuid references run,
    outcome text not null default '',
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    primary key (schedule_id, instant),
    check ((state in ('working', 'done')) = (run_id is not null)),
    check ((state in ('due', 'working')) = (ended_at is null))
);
create index schedule_fire_open on schedule_fire (tenant_id, created_at) where state in ('due', 'working');

do $$
declare t text;
begin
    foreach t in array array['schedule', 'schedule_fire'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_person on %I to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())'
                       ' with check (tenant_id = hearth_tenant() and audience_id = hearth_person())', t);
    end loop;
end $$;
grant select, insert, update (paused, next_at, ended_at) on schedule to hearth_app;
grant select, insert, update (state, run_id, outcome, ended_at) on schedule_fire to hearth_app;

-- For the process that sees to all of them: it knows the house, and acts for no person until it knows for whom.

create function hearth_due_schedules(now_us bigint, most integer) returns table (id uuid, person_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select s.id, s.audience_id from schedule s
    where s.tenant_id = hearth_tenant() and not s.paused and s.ended_at is null and s.next_at <= to_timestamp(now_us / 1000000.0)
    order by s.next_at limit most $$;

-- Those that wait for a run, and those whose run has ended.
create function hearth_open_fires(most integer) returns table (schedule_id uuid, instant_us bigint, person_id uuid, role text, run_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select f.schedule_id, (extract(epoch from f.instant) * 1000000)::bigint, f.audience_id, p.role, f.run_id
    from schedule_fire f join person p on p.id = f.audience_id left join run r on r.id = f.run_id
    where f.tenant_id = hearth_tenant() and (f.state = 'due' or (f.state = 'working' and r.state is not null and r.state <> 'waiting_person'))
    order by f.state = 'due', f.created_at limit most $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_due_schedules(bigint, integer)', 'hearth_open_fires(integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
