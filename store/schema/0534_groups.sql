-- Groups in use: the owner says who is in one, and what is told for a group is remembered for everybody in it, with who told it.

alter table person_group alter column tenant_id set default hearth_tenant();
alter table membership alter column tenant_id set default hearth_tenant();
create unique index person_group_name on person_group (tenant_id, lower(name));
grant insert on person_group to hearth_app;
grant insert, delete on membership to hearth_app;
create policy made_by_owner on person_group as restrictive for insert to hearth_app with check (hearth_role() = 'owner');
create policy changed_by_owner on membership as restrictive for insert to hearth_app with check (hearth_role() = 'owner'
    and exists (select from person_group g where g.id = group_id) and exists (select from person p where p.id = person_id and p.role in ('owner', 'member')));
create policy removed_by_owner on membership as restrictive for delete to hearth_app using (hearth_role() = 'owner');

alter table fact add column author uuid default hearth_person();  -- who told it; null: nobody knows any more
