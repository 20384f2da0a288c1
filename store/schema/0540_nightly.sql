-- What nights make of the pipeline's telemetry: a row a node, class and day, a row a node and week, what MathCore found, and the
-- one batch a day that all of it comes from.

alter table telemetry_event
    add column status text check (status in ('ok', 'error', 'timeout', 'cancelled')),  -- null: written before it was kept; see error
    add column class text not null default '',                                         -- of the turn, when the node was done
    add column event_type text generated always as (event) stored;                     -- the name that operators' queries of GRAPH_NODE_DONE know
create index telemetry_event_day on telemetry_event (tenant_id, created_at);
create index model_usage_run on model_usage (run_id) where run_id is not null;

create table daily_aggregate (
    tenant_id uuid not null default hearth_tenant() references tenant,
    node_id text not null,
    class text not null,  -- '': of all
    date date not null,   -- in the household's time zone
    sample_count integer not null,
    avg_latency_ms double precision not null,
    error_rate double precision not null,
    errors integer not null,
    timeouts integer not null,
    excused integer not null,
    cancelled integer not null,
    invalid integer not null,
    level double precision,
    level_error double precision,
    spread double precision,
    spread_censored boolean not null,
    failure_logit double precision,
    batch_day date not null,
    primary key (tenant_id, node_id, class, date)
);
create index daily_aggregate_date on daily_aggregate (tenant_id, date);

create table weekly_aggregate (
    tenant_id uuid not null default hearth_tenant() references tenant,
    node_id text not null,
    iso_year integer not null,
    iso_week integer not null,
    days_present integer not null,
    partial boolean not null,
    sample_count integer not null,
    errors integer not null,
    timeouts integer not null,
    avg_latency_ms double precision not null,
    error_rate double precision not null,
    level double precision,
    spread double precision,
    primary key (tenant_id, node_id, iso_year, iso_week)
);

-- What a night found of the tenant, and of each of its nodes; `day` is the batch's.
create table mathcore_night (
    tenant_id uuid not null default hearth_tenant() references tenant,
    day date not null,
    regime text not null,
    lambda_max double precision not null,
    alpha double precision not null,
    signal text not null,    -- '' while data are insufficient
    coupling json not null,  -- {"nodes": […], "gamma": [[…]]}; {} where there is none
    model_version text not null,
    primary key (tenant_id, day)
);
create table mathcore_node (
    tenant_id uuid not null default hearth_tenant() references tenant,
    day date not null,
    node_id text not null,
    gate text not null,
    days integer not null,
    events integer not null,
    drift_score double precision not null,
    level double precision not null,   -- of the three charts, over their limits
    spread double precision not null,
    errors double precision not null,
    acting boolean not null,
    label text not null,
    distance double precision,
    weight double precision not null,  -- the drift's part of weight_adjustment
    reason text not null,
    baseline json not null,            -- {} where there is none yet
    primary key (tenant_id, day, node_id),
    foreign key (tenant_id, day) references mathcore_night deferrable initially deferred
);

create table nightly_batch (
    tenant_id uuid not null default hearth_tenant() references tenant,
    day date not null,
    run_id uuid not null references run,
    conversation_id uuid not null references conversation,
    person_id uuid not null default hearth_person(),
    state text not null default 'running' check (state in ('running', 'done', 'failed')),
    answer json,  -- once the steps that callers wait for are through, or one of them has failed
    attempts integer not null default 1,  -- runs that it took
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    primary key (tenant_id, day)
);

do $$
declare t text;
begin
    foreach t in array array['daily_aggregate', 'weekly_aggregate', 'mathcore_night', 'mathcore_node', 'nightly_batch'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_tenant on %I to hearth_app using (tenant_id = hearth_tenant() and hearth_person() is not null)'
                       ' with check (tenant_id = hearth_tenant() and hearth_person() is not null)', t);
        execute format('grant select, insert, update on %I to hearth_app', t);
    end loop;
end $$;
grant delete on mathcore_node to hearth_app;

-- The telemetry of everybody in the tenant from one day to another, both included, without whose it is: what a node took and how it
-- went. Where one called models, what their calls waited and read is added.
create function hearth_node_events(first date, last date, zone text)
    returns table (node_id text, class text, day date, latency_ms double precision, queue_ms double precision, status text, prompt_tokens bigint, output_tokens bigint)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select e.node_id, e.class, (e.created_at at time zone zone)::date, e.latency_ms, coalesce(u.queued_us, 0) / 1000.0,
                 coalesce(e.status, case when e.error = '' then 'ok' else 'error' end), coalesce(u.prompt_tokens, 0)::bigint, coalesce(u.output_tokens, 0)::bigint
          from telemetry_event e left join lateral
               (select sum(m.queued_us) as queued_us, sum(m.prompt_tokens) as prompt_tokens, sum(m.output_tokens) as output_tokens from model_usage m
                where m.run_id = e.run_id and m.purpose = e.node_id and m.started_at <= e.created_at
                  and m.started_at >= e.created_at - (e.latency_ms + 1000) * interval '1 millisecond') u on true
          where e.event = 'GRAPH_NODE_DONE' and e.tenant_id = hearth_tenant() and hearth_person() is not null
            and e.created_at >= first::timestamp at time zone zone and e.created_at < (last + 1)::timestamp at time zone zone
          order by e.created_at, e.id $$;

-- The first day of each node.
create function hearth_node_beginnings(zone text) returns table (node_id text, day date)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select e.node_id, (min(e.created_at) at time zone zone)::date from telemetry_event e
          where e.event = 'GRAPH_NODE_DONE' and e.tenant_id = hearth_tenant() and hearth_person() is not null group by e.node_id order by e.node_id $$;

revoke all on function hearth_node_events(date, date, text), hearth_node_beginnings(text) from public;
grant execute on function hearth_node_events(date, date, text), hearth_node_beginnings(text) to hearth_app;

-- A batch's run is gone on with by who looks after batches (agents/nightly.h), not by who goes on with people's.
create or replace function hearth_open_runs(here uuid)
    returns table (id uuid, tenant_id uuid, person_id uuid, conversation_id uuid, goes_on boolean)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select r.id, r.tenant_id, r.audience_id, r.conversation_id,
                 hearth_goes_on(r.request, r.attempts, r.started_at, r.pinned, r.node_id, here) and not exists (select 1 from nightly_batch b where b.run_id = r.id)
          from run r where r.state is null $$;
