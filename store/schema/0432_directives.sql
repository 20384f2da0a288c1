-- What a house, or one person of it, wants of every agent until it expires. The owner speaks for the house and for anybody, others
-- for themselves. Whoever else it holds for sees it; nobody else does.

create table directive (
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid references person,  -- whom it holds for; null: everybody of the house
    name text not null check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$' and name not like 'prime\_%'),
    text text not null check (length(text) between 1 and 500 and text !~ '[[:cntrl:]]'),
    created_by uuid not null default hearth_person() references person,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create unique index directive_of on directive (tenant_id, coalesce(person_id, '00000000-0000-0000-0000-000000000000'), name);
alter table directive enable row level security;
alter table directive force row level security;
create policy owner_all on directive to hearth_owner using (true) with check (true);
create policy seen on directive for select to hearth_app
    using (tenant_id = hearth_tenant() and hearth_person() is not null
           and (person_id is null or person_id = hearth_person() or created_by = hearth_person()));
create policy added on directive for insert to hearth_app
    with check (tenant_id = hearth_tenant() and created_by = hearth_person() and (person_id = hearth_person() or exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'))
                and (person_id is null or exists (select 1 from person p where p.id = directive.person_id)));
create policy removed on directive for delete to hearth_app
    using (tenant_id = hearth_tenant() and (created_by = hearth_person() or (person_id is null and exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'))));
grant select, insert, delete on directive to hearth_app;

create function hearth_prune_directives() returns bigint
    language sql security definer set search_path = public, pg_temp
    as $$ with gone as (delete from directive where expires_at <= clock_timestamp() returning 1) select count(*) from gone $$;
revoke all on function hearth_prune_directives() from public;
grant execute on function hearth_prune_directives() to hearth_app;

-- How much there is already, also of what whoever asks may not see.
create function hearth_directive_bytes(whose uuid) returns bigint
    language sql stable security definer set search_path = public, pg_temp
    as $$ select coalesce(sum(octet_length(text)), 0) from directive where tenant_id = hearth_tenant() and person_id is not distinct from whose $$;
revoke all on function hearth_directive_bytes(uuid) from public;
grant execute on function hearth_directive_bytes(uuid) to hearth_app;

alter table person add column tone text not null default '' check (length(tone) <= 300 and tone !~ '[[:cntrl:]]');
grant update (tone) on person to hearth_app;
