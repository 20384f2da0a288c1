-- What an embedding model makes of facts and of what was said: one vector of each and model. It goes with what it is of.
create table vector (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null,
    fact_id uuid references fact on delete cascade,
    segment_id uuid references segment on delete cascade,
    model text not null,         -- with its width
    body bytea not null,         -- a signed byte each
    written bigint not null default pg_current_xact_id()::text::bigint,
    check (num_nonnulls(fact_id, segment_id) = 1),
    unique (fact_id, model),
    unique (segment_id, model)
);
create index vector_place on vector (audience_id, model, written, id);

-- What a model makes of a text that is always the same: whoever makes something else of it is another one, and the person's vectors by that name are made anew.
create table vector_probe (
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    model text not null,
    body bytea not null,
    primary key (audience_id, model)
);

do $$
declare
    t text;
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    foreach t in array array['vector', 'vector_probe'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_audience on %I to hearth_app using (%s) with check (%s)', t, visible, visible);
    end loop;
end $$;
grant select, insert, delete on vector, vector_probe to hearth_app;
