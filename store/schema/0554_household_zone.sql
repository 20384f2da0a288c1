-- The household's time zone, as its servers' settings name it, for whatever goes by its clock; '': the machine's.

create table household (
    tenant_id uuid primary key default hearth_tenant() references tenant,
    zone text not null
);
alter table household enable row level security;
alter table household force row level security;
create policy owner_all on household to hearth_owner using (true) with check (true);
create policy of_tenant on household to hearth_app using (tenant_id = hearth_tenant()) with check (tenant_id = hearth_tenant() and hearth_role() = 'owner');
grant select, insert, update (zone) on household to hearth_app;
