-- Tenants, people, conversations, runs, traces, memory, keys: all under forced row-level security.
-- hearth_owner migrates and owns; hearth_app runs and sees only what the transaction's identity may.

create extension if not exists pg_trgm;

-- The transaction's identity; null when it was not set, and then no row is visible.
create function hearth_tenant() returns uuid language sql stable
    as $$ select nullif(current_setting('hearth.tenant', true), '')::uuid $$;
create function hearth_person() returns uuid language sql stable
    as $$ select nullif(current_setting('hearth.person', true), '')::uuid $$;
create function hearth_node() returns uuid language sql stable
    as $$ select nullif(current_setting('hearth.node', true), '')::uuid $$;

create table tenant (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null default now()
);

create table node (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    name text not null,
    public_key text not null,  -- Ed25519, base64
    created_at timestamptz not null default now()
);

create table person (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    name text not null,
    role text not null check (role in ('owner', 'member', 'guest', 'peer')),
    created_at timestamptz not null default now()
);

create table person_group (
    id uuid primary key,
    tenant_id uuid not null references tenant,
    name text not null
);

create table membership (
    tenant_id uuid not null references tenant,
    group_id uuid not null references person_group,
    person_id uuid not null references person,
    primary key (group_id, person_id)
);

-- An audience is a person or a group that the person belongs to.
create function hearth_may_see(audience uuid) returns boolean language sql stable
    as $$ select audience = hearth_person()
        or exists (select 1 from membership m where m.group_id = audience and m.person_id = hearth_person()) $$;

create table conversation (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    channel text not null,
    workspace text not null default '',
    created_at timestamptz not null default now()
);

create table message (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    conversation_id uuid not null references conversation,
    position integer not null,
    run_id uuid,
    role text not null check (role in ('system', 'user', 'assistant', 'tool')),
    body text not null,  -- the message in OpenAI shape; text, since jsonb would reorder its keys
    created_at timestamptz not null default now(),
    unique (conversation_id, position)
);

-- `state` is null while the run works or was interrupted: which of the two, its lease tells.
create table run (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    conversation_id uuid not null references conversation,
    input_id uuid not null references message,
    alias text not null,
    epoch bigint not null default 0,
    state text check (state in ('answered', 'partial', 'cancelled', 'refused', 'unknown_effect', 'no_backend', 'failed',
                                'waiting_person', 'waiting_client')),
    error text not null default '',
    turn jsonb not null default '{}',
    usage jsonb not null default '{}',
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
create index run_recent on run (tenant_id, audience_id, id desc);
create index run_open on run (id) where state is null;

create table step (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    run_id uuid not null references run,
    position integer not null,
    epoch bigint not null,
    kind text not null check (kind in ('model', 'tool')),
    name text not null,
    effect text not null check (effect in ('pure', 'idempotent', 'transactional', 'at_most_once')),
    effect_key text not null,
    state text not null default 'intent' check (state in ('intent', 'done', 'failed', 'unknown')),
    input jsonb not null default '{}',
    outcome jsonb not null default '{}',
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    unique (run_id, position)
);

-- Append-only. `hash` chains the run's spans over their digests; bodies lie apart, so that one may
-- be erased and the chain still holds.
create table span (
    id uuid primary key,
    parent_id uuid,
    run_id uuid not null references run,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    position integer not null,
    kind text not null,
    name text not null,
    started_us bigint not null,
    duration_us bigint not null,
    error text not null default '',
    attributes text not null default '{}',
    body_digest text not null,
    hash text not null,
    unique (run_id, position)
);

create table span_body (
    span_id uuid primary key references span,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    body text not null
);

create table telemetry_event (
    id uuid primary key default gen_random_uuid(),
    event text not null,
    node_id text not null,  -- the phase
    latency_ms double precision not null,
    error text not null default '',
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    run_id uuid not null,
    created_at timestamptz not null default clock_timestamp()
);
create index telemetry_event_run on telemetry_event (run_id);

create table prompt (
    tenant_id uuid not null references tenant,
    name text not null,
    version integer not null,
    body text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, name, version)
);

create table prompt_label (
    tenant_id uuid not null references tenant,
    name text not null,
    label text not null,
    version integer not null,
    primary key (tenant_id, name, label),
    foreign key (tenant_id, name, version) references prompt
);

create table fact (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    body text not null,
    source_run_id uuid,
    created_at timestamptz not null default now()
);

create table blob (
    digest text not null,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    bytes bigint not null,
    media_type text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, audience_id, digest)
);

create table model_usage (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    run_id uuid,
    alias text not null,
    backend text not null,
    purpose text not null,
    prompt_tokens integer not null,
    cached_tokens integer not null,
    output_tokens integer not null,
    created_at timestamptz not null default now()
);

create table api_key (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid not null references person,
    label text not null,
    scopes text not null,       -- by comma
    prefix text not null,
    hash text not null unique,  -- SHA-256 of the secret, hex
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

-- Row-level security: tables of the tenant, then those of a person or group in it.
do $$
declare t text;
begin
    foreach t in array array['node', 'person', 'person_group', 'membership', 'prompt', 'prompt_label'] loop
        execute format('create policy of_tenant on %I to hearth_app'
                       ' using (tenant_id = hearth_tenant() and hearth_person() is not null)', t);
    end loop;
    foreach t in array array['conversation', 'message', 'run', 'step', 'span', 'span_body', 'telemetry_event', 'fact',
                             'blob', 'model_usage'] loop
        execute format('create policy of_audience on %I to hearth_app'
                       ' using (tenant_id = hearth_tenant() and hearth_may_see(audience_id))'
                       ' with check (tenant_id = hearth_tenant() and hearth_may_see(audience_id))', t);
    end loop;
    create policy of_tenant on tenant to hearth_app using (id = hearth_tenant() and hearth_person() is not null);
    create policy of_person on api_key to hearth_app
        using (tenant_id = hearth_tenant() and person_id = hearth_person())
        with check (tenant_id = hearth_tenant() and person_id = hearth_person());
    for t in select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migration' loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
    end loop;
end $$;

-- hearth_app's grants: what is append-only has neither update nor delete.
grant select on tenant, node, person, person_group, membership, prompt, prompt_label to hearth_app;
grant select, insert on conversation, message, run, step, span, span_body, telemetry_event, fact, blob, model_usage, api_key
    to hearth_app;
grant update on run, step to hearth_app;
grant update (revoked_at) on api_key to hearth_app;
grant delete on span_body, fact to hearth_app;

-- Who a key belongs to, before anybody's identity is known.
create function hearth_authenticate(key_hash text)
    returns table (key_id uuid, tenant_id uuid, person_id uuid, role text, label text, scopes text, prefix text)
    language sql stable security definer set search_path = public
    as $$ select k.id, k.tenant_id, k.person_id, p.role, k.label, k.scopes, k.prefix
          from api_key k join person p on p.id = k.person_id
          where k.hash = key_hash and k.revoked_at is null $$;

create function hearth_lock_key(run uuid) returns bigint language sql immutable
    as $$ select hashtextextended(run::text, 7) $$;

-- Ends the runs that nobody holds: what an interrupted process left behind.
create function hearth_settle_interrupted() returns setof uuid
    language plpgsql security definer set search_path = public as $$
declare r record;
begin
    for r in select id from run where state is null order by id for update skip locked loop
        if pg_try_advisory_xact_lock(hearth_lock_key(r.id)) then
            update step set state = case effect when 'at_most_once' then 'unknown' else 'failed' end,
                            outcome = '{"error": "interrupted"}', finished_at = now()
                where run_id = r.id and state = 'intent';
            update run set state = case when exists (select 1 from step s where s.run_id = r.id and s.state = 'unknown')
                                        then 'unknown_effect' else 'failed' end,
                           error = 'interrupted: the server stopped while this run was working',
                           epoch = epoch + 1, finished_at = now()
                where id = r.id;
            return next r.id;
        end if;
    end loop;
end $$;

revoke all on function hearth_authenticate(text), hearth_settle_interrupted() from public;
grant execute on function hearth_authenticate(text), hearth_settle_interrupted() to hearth_app;
