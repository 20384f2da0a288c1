-- People who write from elsewhere: who they are there, what came from them, and what leaves for them.

-- Who of a channel is which person. Only the owner says so.
create table channel_identity (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    sender text not null,            -- as the channel knows them
    person_id uuid not null references person,
    label text not null default '',  -- what they are called there
    added_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, bridge, sender)
);

-- Somebody unknown has written, and was told a code that the owner can approve.
create table pairing (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    sender text not null,
    chat text not null,
    label text not null,
    code text not null,
    asked_at timestamptz not null default clock_timestamp(),
    told_at timestamptz,
    expires_at timestamptz not null,
    primary key (tenant_id, bridge, sender),
    unique (tenant_id, code)
);

-- The conversation in which a person is answered in a chat.
create table channel_conversation (
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    bridge text not null,
    chat text not null,
    conversation_id uuid not null references conversation,
    primary key (tenant_id, audience_id, bridge, chat)
);

-- What a channel has delivered, each once, however often it delivers it. What it says is kept until it was acted on.
create table arrival (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    update_id text not null,
    body text not null,
    state text not null default 'new' check (state in ('new', 'working', 'done')),
    outcome text not null default '',
    chat text not null default '',
    person_id uuid references person,  -- who is answered, and by which run: of one that works
    run_id uuid references run,
    arrived_at timestamptz not null default clock_timestamp(),
    held_until timestamptz,            -- somebody acts on it
    primary key (tenant_id, bridge, update_id),
    check (state <> 'working' or (run_id is not null and person_id is not null)),
    check (state = 'new' or body = '')
);
create index arrival_open on arrival (tenant_id, arrived_at) where state <> 'done';
create index arrival_age on arrival (arrived_at);

-- Who asks a channel for what is new; two at once would take each other's turn.
create table bridge_poll (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    holder text not null,
    held_until timestamptz not null,
    primary key (tenant_id, bridge)
);

-- Everything that leaves for a person.
create table outbox (
    id uuid primary key,
    number bigint generated always as identity,  -- the order in which it leaves
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    bridge text not null,
    chat text not null,
    emitter text not null,           -- the run or the arrival that it answers
    part integer not null,           -- of a text that the channel takes in pieces only
    content text not null,
    role text not null,              -- of whom it is for
    label text not null,             -- the integrity of what it was made from
    rule text not null,              -- of policy, that let it in or not
    state text not null check (state in ('queued', 'in_flight', 'delivered', 'failed', 'unknown')),
    error text not null default '',
    attempts integer not null default 0,
    told_as text not null default '',  -- its id there
    due_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    held_until timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    unique (tenant_id, emitter, part)
);
create index outbox_open on outbox (tenant_id, bridge, chat, number) where state in ('queued', 'in_flight');
create index outbox_recent on outbox (tenant_id, bridge, chat, changed_at);

do $$
declare t text;
begin
    foreach t in array array['channel_identity', 'pairing', 'channel_conversation', 'arrival', 'bridge_poll', 'outbox'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
    end loop;
    foreach t in array array['channel_identity', 'pairing'] loop
        execute format('create policy of_owner on %I to hearth_app using (tenant_id = hearth_tenant() and hearth_role() = ''owner'')'
                       ' with check (tenant_id = hearth_tenant() and hearth_role() = ''owner'')', t);
    end loop;
    foreach t in array array['channel_conversation', 'outbox'] loop
        execute format('create policy of_person on %I to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())'
                       ' with check (tenant_id = hearth_tenant() and audience_id = hearth_person())', t);
    end loop;
end $$;
grant select, insert, delete on channel_identity, pairing to hearth_app;
grant update (person_id, label) on channel_identity to hearth_app;
grant update (chat, label, code, asked_at, told_at, expires_at) on pairing to hearth_app;
grant select, insert, update (conversation_id) on channel_conversation to hearth_app;
grant select, insert on outbox to hearth_app;

-- What follows is for the process that carries messages, whoever they are of: it knows the house, and acts for no person.

-- Whether it is new. What was acted on is known for as long as any channel delivers it again.
create function hearth_keep_arrival(of_bridge text, of_update text, said text) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from arrival where state = 'done' and arrived_at < clock_timestamp() - interval '30 days';
    insert into arrival (bridge, update_id, body) values (of_bridge, of_update, said) on conflict do nothing;
    return found;
end $$;

-- Those that nobody has acted on, in the order of their coming; held for a moment by who takes them.
create function hearth_take_arrivals(most integer, seconds integer) returns table (bridge text, update_id text, body text)
    language sql security definer set search_path = public, pg_temp as $$
    with open as materialized (
        select b.tenant_id, b.bridge, b.update_id from arrival b
        where b.tenant_id = hearth_tenant() and b.state = 'new' and (b.held_until is null or b.held_until < clock_timestamp())
        order by b.arrived_at limit most for update skip locked),
    taken as (
        update arrival a set held_until = clock_timestamp() + make_interval(secs => seconds) from open
        where (a.tenant_id, a.bridge, a.update_id) = (open.tenant_id, open.bridge, open.update_id)
        returning a.bridge, a.update_id, a.body, a.arrived_at)
    select t.bridge, t.update_id, t.body from taken t order by t.arrived_at $$;

create function hearth_arrival_works(of_bridge text, of_update text, in_chat text, person uuid, run uuid) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update arrival set state = 'working', body = '', chat = in_chat, person_id = person, run_id = run
    where tenant_id = hearth_tenant() and bridge = of_bridge and update_id = of_update and state = 'new' $$;

create function hearth_settle_arrival(of_bridge text, of_update text, ended text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update arrival set state = 'done', body = '', outcome = ended
    where tenant_id = hearth_tenant() and bridge = of_bridge and update_id = of_update and state <> 'done' $$;

create function hearth_working_arrivals() returns table (bridge text, update_id text, chat text, person_id uuid, role text, run_id uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select a.bridge, a.update_id, a.chat, a.person_id, p.role, a.run_id from arrival a join person p on p.id = a.person_id
    where a.tenant_id = hearth_tenant() and a.state = 'working' order by a.arrived_at $$;

create function hearth_hold_poll(of_bridge text, by text, seconds integer) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into bridge_poll (bridge, holder, held_until) values (of_bridge, by, clock_timestamp() + make_interval(secs => seconds))
        on conflict (tenant_id, bridge) do update set holder = excluded.holder, held_until = excluded.held_until
        where bridge_poll.holder = excluded.holder or bridge_poll.held_until < clock_timestamp();
    return found;
end $$;

-- What may leave now: of a chat one after the other, and at most one a second, as channels want it. Whoever had begun to
-- send something and is gone leaves nobody knows what.
create function hearth_take_outgoing(of_bridge text, most integer, seconds integer)
    returns table (id uuid, person_id uuid, chat text, emitter text, content text, role text, label text, attempts integer)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update outbox o set state = 'unknown', error = 'whoever sent it has not told how that ended', changed_at = clock_timestamp()
        where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.state = 'in_flight' and o.held_until < clock_timestamp();
    update outbox o set state = 'failed', error = 'it could not be sent before it expired', changed_at = clock_timestamp()
        where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.state = 'queued' and o.expires_at <= clock_timestamp();
    return query
        with open as materialized (
            select c.id from outbox c
            where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.state = 'queued' and c.due_at <= clock_timestamp()
                and not exists (select from outbox b where b.tenant_id = c.tenant_id and b.bridge = c.bridge and b.chat = c.chat
                                and (b.state = 'in_flight' or (b.state = 'queued' and b.number < c.number)
                                     or (b.state in ('delivered', 'unknown') and b.changed_at > clock_timestamp() - interval '1 second')))
            order by c.number limit most for update skip locked)
        update outbox o set state = 'in_flight', attempts = o.attempts + 1, held_until = clock_timestamp() + make_interval(secs => seconds), changed_at = clock_timestamp()
        from open where o.id = open.id
        returning o.id, o.audience_id, o.chat, o.emitter, o.content, o.role, o.label, o.attempts;
end $$;

-- How the sending ended; `queued`: nothing was sent, and it is tried again after `wait` seconds.
create function hearth_settle_outgoing(of_id uuid, ended text, why text, wait double precision, there text) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update outbox set state = ended, error = why, told_as = there, due_at = clock_timestamp() + make_interval(secs => wait), changed_at = clock_timestamp()
        where id = of_id and tenant_id = hearth_tenant() and (state = 'in_flight' or (state = 'unknown' and ended in ('delivered', 'failed')));
    return found;
end $$;

-- One's own; the owner also that there was something for others, and not what.
create function hearth_outbox_log(most integer)
    returns table (id uuid, person_id uuid, bridge text, chat text, emitter text, part integer, content text, rule text, state text, error text, attempts integer, created_us bigint)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.audience_id, o.bridge, o.chat, o.emitter, o.part, case when o.audience_id = hearth_person() then o.content end, o.rule, o.state, o.error, o.attempts,
        (extract(epoch from o.created_at) * 1000000)::bigint
    from outbox o where o.tenant_id = hearth_tenant() and (o.audience_id = hearth_person() or hearth_role() = 'owner') order by o.number desc limit most $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_keep_arrival(text, text, text)', 'hearth_take_arrivals(integer, integer)', 'hearth_arrival_works(text, text, text, uuid, uuid)',
                             'hearth_settle_arrival(text, text, text)', 'hearth_working_arrivals()', 'hearth_hold_poll(text, text, integer)',
                             'hearth_take_outgoing(text, integer, integer)', 'hearth_settle_outgoing(uuid, text, text, double precision, text)', 'hearth_outbox_log(integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
