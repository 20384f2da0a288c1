-- What comes with messages besides their text, and is kept as it came: the bytes are a file of the state folder, sealed for the person, by their digest.

drop table blob;  -- of the foundation; no program has ever written to it
create table blob (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),  -- whose disk has the file
    run_id uuid,                         -- that answers the message; null: none does
    bridge text not null,
    chat text not null,
    message text not null,               -- the channel's id of it
    source text not null,                -- by which the channel hands the file out
    in_company boolean not null,         -- others read in the chat, too
    tells boolean not null,              -- nothing else answers the message: its sender is told what became of it
    media text not null,                 -- photo, voice, …: the channel's word
    name text not null,
    type text not null,                  -- media type, as its sender says
    state text not null default 'wanted' check (state in ('wanted', 'kept', 'failed')),
    digest text,                         -- SHA-256 of the bytes
    bytes bigint not null,               -- until it is kept as the channel says
    error text not null default '',
    attempts integer not null default 0,
    due_at timestamptz not null default clock_timestamp(),
    held_until timestamptz,              -- somebody fetches it
    arrived_at timestamptz not null default clock_timestamp(),
    unique (audience_id, bridge, chat, message, source),
    check ((state = 'kept') = (digest is not null))
);
create index blob_digest on blob (audience_id, digest) where digest is not null;
create index blob_wanted on blob (tenant_id, due_at) where state = 'wanted';
create index blob_run on blob (run_id) where run_id is not null;

alter table blob enable row level security;
alter table blob force row level security;
create policy owner_all on blob to hearth_owner using (true) with check (true);
create policy of_person on blob to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
grant select, insert, delete on blob to hearth_app;
grant update (node_id, run_id, state, digest, bytes, error, attempts, due_at, held_until) on blob to hearth_app;

-- What follows is for the process that carries messages, whoever they are of.

-- What is to be fetched from these channels, held for a moment by who takes it; also what another one holds, who may be gone.
create function hearth_take_blobs(bridges text[], most integer, seconds integer, also_held boolean)
    returns table (id uuid, person_id uuid, role text, bridge text, chat text, message text, source text, in_company boolean, tells boolean, media text, name text, type text, attempts integer)
    language sql security definer set search_path = public, pg_temp as $$
    with open as materialized (
        select b.id from blob b where b.tenant_id = hearth_tenant() and b.state = 'wanted' and b.bridge = any(bridges)
            and b.due_at <= clock_timestamp() and (also_held or b.held_until is null or b.held_until < clock_timestamp())
        order by b.due_at limit most for update skip locked)
    update blob t set held_until = clock_timestamp() + make_interval(secs => seconds), attempts = t.attempts + 1 from open, person p
    where t.id = open.id and p.id = t.audience_id
    returning t.id, t.audience_id, p.role, t.bridge, t.chat, t.message, t.source, t.in_company, t.tells, t.media, t.name, t.type, t.attempts $$;

-- Whether some row counts on the file.
create function hearth_holds_blob(of_audience uuid, of_digest text) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from blob where tenant_id = hearth_tenant() and audience_id = of_audience and digest = of_digest) $$;

-- The files that this machine must have.
create function hearth_kept_blobs() returns table (audience_id uuid, digest text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select distinct b.audience_id, b.digest from blob b where b.tenant_id = hearth_tenant() and b.node_id = hearth_node() and b.digest is not null order by 1, 2 $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_take_blobs(text[], integer, integer, boolean)', 'hearth_holds_blob(uuid, text)', 'hearth_kept_blobs()'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
