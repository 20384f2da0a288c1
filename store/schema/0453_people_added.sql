-- The owner takes people in; who owns a house is not given away like this.

grant insert (id, tenant_id, name, role) on person to hearth_app;
create policy added_by_owner on person as restrictive for insert to hearth_app
    with check (hearth_role() = 'owner' and role in ('member', 'guest'));
