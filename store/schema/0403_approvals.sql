-- What a run wants to do and may not without a person's word. The word is for these very arguments, for once, and for a time.

create table approval (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    run_id uuid not null references run,
    effect_key text not null,
    tool text not null,
    arguments json not null,
    digest text not null,
    rule text not null,
    reason text not null,
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    decision text check (decision in ('granted', 'denied', 'expired')),
    decided_by uuid,
    decided_via text not null default '',
    decided_at timestamptz,
    used_at timestamptz,
    unique (run_id, effect_key),
    check ((decision is null) = (decided_at is null)),
    check (used_at is null or decision = 'granted')
);
create index approval_open on approval (tenant_id, audience_id, asked_at) where decision is null;

alter table approval enable row level security;
alter table approval force row level security;
create policy owner_all on approval to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on approval to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select, insert, update (decision, decided_by, decided_via, decided_at, used_at) on approval to hearth_app;

-- Asked too long ago: nobody's word is an answer too, and the run goes on with it. Across people, so that any process can do it.
create function hearth_expire_approvals() returns setof uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare r record;
begin
    for r in select id, run_id from approval where decision is null and expires_at <= clock_timestamp() order by id for update skip locked loop
        update approval set decision = 'expired', decided_via = 'time', decided_at = clock_timestamp() where id = r.id;
        update run set state = null, error = '', finished_at = null where id = r.run_id and state = 'waiting_person';
        return next r.run_id;
    end loop;
end $$;
revoke all on function hearth_expire_approvals() from public;
grant execute on function hearth_expire_approvals() to hearth_app;
