-- Rules that the owner of a house sets beside the shipped ones. What a body may say, policy reads.

create table house_rule (
    tenant_id uuid not null default hearth_tenant() references tenant,
    name text not null check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
    body jsonb not null check (jsonb_typeof(body) = 'object'),
    changed_by uuid not null default hearth_person() references person,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, name)
);
alter table house_rule enable row level security;
alter table house_rule force row level security;
create policy owner_all on house_rule to hearth_owner using (true) with check (true);
create policy of_tenant on house_rule for select to hearth_app
    using (tenant_id = hearth_tenant() and hearth_person() is not null);
create policy of_owner on house_rule to hearth_app
    using (tenant_id = hearth_tenant() and exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'))
    with check (tenant_id = hearth_tenant() and exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'));
grant select, insert, delete on house_rule to hearth_app;
grant update (body, changed_by, changed_at) on house_rule to hearth_app;

-- Those of all houses, for a process that decides for everybody.
create function hearth_house_rules() returns setof house_rule
    language sql stable security definer set search_path = public, pg_temp
    as $$ select * from house_rule order by tenant_id, name $$;
revoke all on function hearth_house_rules() from public;
grant execute on function hearth_house_rules() to hearth_app;

-- For rules that hold from so many calls of a day on.
create index step_tool_calls on step (audience_id, name, started_at) where kind = 'tool';
