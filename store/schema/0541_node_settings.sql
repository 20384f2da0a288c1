-- What the operator says of a node: that its state from a day on is the usual one, or that its weight stays as it is. The newest row counts; all stay.

create table node_setting (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null default hearth_tenant() references tenant,
    node_id text not null,
    accepted date,
    frozen date,  -- from that night on
    person_id uuid not null default hearth_person(),
    created_at timestamptz not null default clock_timestamp()
);
create index node_setting_newest on node_setting (tenant_id, node_id, created_at desc);
alter table node_setting enable row level security;
alter table node_setting force row level security;
create policy owner_all on node_setting to hearth_owner using (true) with check (true);
create policy of_tenant on node_setting to hearth_app using (tenant_id = hearth_tenant() and hearth_person() is not null)
    with check (tenant_id = hearth_tenant() and hearth_person() is not null);
grant select, insert on node_setting to hearth_app;
create trigger append_only before update or delete or truncate on node_setting
    for each statement execute function hearth_refuse_change();
