-- When each backend of a node last did what chains want of it.

create table exercise (
    tenant_id uuid not null default hearth_tenant() references tenant,
    node_id uuid not null default hearth_node(),
    backend text not null,
    traffic text not null check (traffic in ('plain', 'streamed', 'tools')),
    seen_us bigint not null,              -- since when it is known; microseconds since 1970, as the next two
    worked_us bigint not null default 0,  -- 0: never
    failed_us bigint not null default 0,  -- of a drill; 0: never
    failure text not null default '',
    primary key (tenant_id, node_id, backend, traffic)
);
alter table exercise enable row level security;
alter table exercise force row level security;
create policy owner_all on exercise to hearth_owner using (true) with check (true);
create policy of_tenant on exercise to hearth_app
    using (tenant_id = hearth_tenant() and hearth_person() is not null)
    with check (tenant_id = hearth_tenant() and hearth_person() is not null);
grant select, insert, update on exercise to hearth_app;
