-- Collections: named lists of a person's, each with a JSON Schema that its items hold to.

create table collection (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    name text not null,
    schema text not null,        -- as it was given: the order of fields is part of it
    made_at timestamptz not null default clock_timestamp(),
    unique (audience_id, name)
);
create table collection_item (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    collection_id uuid not null references collection on delete cascade,
    body text not null,
    run_id uuid,                 -- that wrote it last; null: the person's own command
    trusted boolean not null,    -- no text from outside was in the conversation by then
    changed_at timestamptz not null default clock_timestamp()
);
create index collection_item_of on collection_item (collection_id, id);

do $$
declare t text;
begin
    foreach t in array array['collection', 'collection_item'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_person on %I to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())'
                       ' with check (tenant_id = hearth_tenant() and audience_id = hearth_person())', t);
    end loop;
end $$;
grant select, insert, delete on collection, collection_item to hearth_app;
grant update (body, run_id, trusted, changed_at) on collection_item to hearth_app;
