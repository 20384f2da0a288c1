-- What the review of failures has found: one row for each kind of failure, with the runs that show it, and in which build it was mended.

create table deploy (
    tenant_id uuid not null default hearth_tenant() references tenant,
    build text not null,
    version text not null,
    first_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, build)
);

create table review (
    tenant_id uuid primary key default hearth_tenant() references tenant,
    until timestamptz not null        -- what failed by then was looked at
);

create table issue (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    signature text not null,          -- by which it is known again
    title text not null,
    state text not null default 'needs-triage' check (state in ('needs-triage', 'ready-to-fix', 'fixed-locally', 'deployed', 'closed')),
    count bigint not null,
    runs uuid[] not null,             -- that show it, the newest last
    first_at timestamptz not null,
    last_at timestamptz not null,
    first_build text not null,        -- in which it was seen first
    fixed_build text,                 -- the first that ran after it was fixed
    regressed_build text,             -- in which it came back since
    changed_at timestamptz not null default clock_timestamp(),
    unique (tenant_id, signature)
);

do $$
declare t text;
begin
    foreach t in array array['deploy', 'review', 'issue'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_owner on %I to hearth_app using (tenant_id = hearth_tenant() and hearth_role() = ''owner'')'
                       ' with check (tenant_id = hearth_tenant() and hearth_role() = ''owner'')', t);
    end loop;
end $$;
grant select, insert on deploy to hearth_app;
grant select, insert, update (until) on review to hearth_app;
grant select, insert, update (title, state, count, runs, last_at, fixed_build, regressed_build, changed_at) on issue to hearth_app;

-- Of everybody, for the owner. What a tool said is his to read of his own runs alone; of others' how their runs ended.
create function hearth_failures(since_us bigint, until_us bigint) returns table (run_id uuid, of text, name text, state text, error text, at_us bigint)
    language sql stable security definer set search_path = public, pg_temp as $$
    select f.* from (
        select r.id, 'run', r.alias, r.state, r.error, (extract(epoch from r.finished_at) * 1000000)::bigint as at_us from run r
            where r.tenant_id = hearth_tenant() and r.state in ('failed', 'no_backend', 'partial', 'unknown_effect')
                and r.finished_at > to_timestamp(since_us / 1000000.0) and r.finished_at <= to_timestamp(until_us / 1000000.0)
        union all
        select s.run_id, 'tool', s.name, s.state, case when s.audience_id = hearth_person() then coalesce(s.outcome->>'text', '') else '' end,
                (extract(epoch from s.finished_at) * 1000000)::bigint from step s
            where s.tenant_id = hearth_tenant() and s.kind = 'tool' and s.state in ('failed', 'unknown') and s.copied_from is null
                and s.finished_at > to_timestamp(since_us / 1000000.0) and s.finished_at <= to_timestamp(until_us / 1000000.0)) f
    where hearth_role() = 'owner' order by f.at_us limit 10000 $$;
revoke all on function hearth_failures(bigint, bigint) from public;
grant execute on function hearth_failures(bigint, bigint) to hearth_app;
