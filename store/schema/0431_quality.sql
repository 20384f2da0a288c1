-- What hearth quality run measured: how many of the scripted cases passed, of which model, with which version of every prompt
-- in force. A version goes live on such a row and on that of the versions it is held against.

create table quality_run (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null default hearth_tenant() references tenant,
    model text not null,
    cases text not null,      -- SHA-256 of all cases
    versions jsonb not null,  -- name → version
    total integer not null check (total > 0),
    failed jsonb not null,    -- names of the cases that failed
    failed_must jsonb not null,  -- those among them that are marked must
    person_id uuid default hearth_person(),
    created_at timestamptz not null default clock_timestamp()
);
create index quality_run_newest on quality_run (tenant_id, created_at);
alter table quality_run enable row level security;
alter table quality_run force row level security;
create policy owner_all on quality_run to hearth_owner using (true) with check (true);
create policy of_tenant on quality_run to hearth_app using (tenant_id = hearth_tenant() and hearth_person() is not null);
grant select, insert on quality_run to hearth_app;
create trigger append_only before update or delete or truncate on quality_run
    for each statement execute function hearth_refuse_change();
