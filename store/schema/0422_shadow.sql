-- Calls of a model that were made again to another, and how that differed; nothing of what was said.

create table shadow_call (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    at timestamptz not null default clock_timestamp(),
    alias text not null,
    shadow text not null,
    purpose text not null,
    error text not null,            -- why the shadow did not answer
    same_calls boolean not null,
    likeness double precision not null,
    prompt_tokens integer not null, output_tokens integer not null, cost double precision not null, duration_us bigint not null,
    shadow_prompt_tokens integer not null, shadow_output_tokens integer not null, shadow_cost double precision not null, shadow_duration_us bigint not null
);
create index shadow_call_recent on shadow_call (tenant_id, audience_id, at desc);
alter table shadow_call enable row level security;
alter table shadow_call force row level security;
create policy owner_all on shadow_call to hearth_owner using (true) with check (true);
create policy of_audience on shadow_call to hearth_app
    using (tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists
        (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person())))
    with check (tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists
        (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person())));
grant select, insert on shadow_call to hearth_app;
