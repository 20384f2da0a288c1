-- The audience stands in the policy itself. As a function with a query inside it was planned anew for every
-- row that a statement touched; in the policy it is planned with the statement, once a session.

do $$
declare
    t text;
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    for t in select tablename from pg_policies where schemaname = 'public' and policyname = 'of_audience' loop
        execute format('alter policy of_audience on %I using (%s) with check (%s)', t, visible, visible);
    end loop;
end $$;
drop function hearth_may_see(uuid);
