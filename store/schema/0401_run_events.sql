-- Runs that are taken in before anybody works on them, what they tell while they work, and what people add to them meanwhile.

alter table run
    alter column input_id drop not null,  -- null: not begun; what it is asked lies in `request` until then
    add column question text not null default '',  -- of a run that has not begun: the beginning of what it is asked
    add column metadata json,
    add column forked_from uuid references run,
    add column forked_step uuid,
    add column watched_until timestamptz;  -- until then somebody at another process waits for its events
grant update (input_id, request, pinned, node_id, watched_until) on run to hearth_app;
alter table step add column copied_from uuid;  -- of a fork: the step that was made, whose effect is not repeated

create table run_event (
    run_id uuid not null references run,
    epoch bigint not null,
    first bigint not null,
    last bigint not null,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    body json not null,  -- a list of events, in order
    primary key (run_id, epoch, last),
    check (first <= last)
);

create table run_input (
    id uuid primary key,
    run_id uuid not null references run,
    position integer not null,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    body text not null,
    via text not null,
    sent_at timestamptz not null default clock_timestamp(),
    taken_by text,  -- the effect key of the model step that first read it, or 'turn': a turn of its own answers it
    unique (run_id, position)
);

create table run_key (
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid not null default hearth_person() references person,
    key text not null,
    digest text not null,  -- of the request that it came with
    run_id uuid not null references run deferrable initially deferred,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, person_id, key)
);

do $$
declare
    t text;
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    foreach t in array array['run_event', 'run_input', 'run_key'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
    end loop;
    foreach t in array array['run_event', 'run_input'] loop
        execute format('create policy of_audience on %I to hearth_app using (%s) with check (%s)', t, visible, visible);
    end loop;
    create policy of_person on run_key to hearth_app
        using (tenant_id = hearth_tenant() and person_id = hearth_person())
        with check (tenant_id = hearth_tenant() and person_id = hearth_person());
end $$;
grant select, insert, delete on run_event, run_key to hearth_app;
grant select, insert, update (taken_by) on run_input to hearth_app;
