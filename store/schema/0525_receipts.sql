-- How a message fares after its channel has taken it, and when a chat was last heard.

alter table outbox add column receipt text not null default '' check (receipt in ('', 'delivered', 'read', 'failed'));
create index outbox_told on outbox (tenant_id, bridge, told_as) where told_as <> '';

create table channel_heard (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    chat text not null,
    heard_at timestamptz not null,
    primary key (tenant_id, bridge, chat)
);
alter table channel_heard enable row level security;
alter table channel_heard force row level security;
create policy owner_all on channel_heard to hearth_owner using (true) with check (true);

-- Somebody has written there, at that moment by the channel's clock; never later than now.
create function hearth_heard(of_bridge text, in_chat text, at_us bigint) returns void
    language sql security definer set search_path = public, pg_temp as $$
    insert into channel_heard (bridge, chat, heard_at) values (of_bridge, in_chat, least(to_timestamp(at_us / 1000000.0), clock_timestamp()))
        on conflict (tenant_id, bridge, chat) do update set heard_at = greatest(channel_heard.heard_at, excluded.heard_at) $$;

-- What a channel says of a message later: by the outbox's id, which went along, or by its own. It may tell twice, out of order and
-- before the call that sent the message has ended. Whether there is such a message.
create function hearth_note_receipt(of_bridge text, ours uuid, there text, says text, why text) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if ours is null and there <> '' then
        select o.id into ours from outbox o where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.told_as = there limit 1;
    end if;
    update outbox o set
        receipt = case when o.receipt in ('read', 'failed') then o.receipt else says end,
        state = case when says = 'failed' and o.state in ('delivered', 'unknown') and o.receipt = '' then 'failed'
                     when says <> 'failed' and o.state = 'unknown' then 'delivered' else o.state end,
        error = case when says = 'failed' and o.receipt = '' then why when says <> 'failed' and o.state = 'unknown' then '' else o.error end,
        told_as = case when o.told_as = '' then there else o.told_as end
        where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.id = ours;
    return found;
end $$;

-- As before (0510); beside it when the chat was last heard.
drop function hearth_take_outgoing(text, integer, integer);
create function hearth_take_outgoing(of_bridge text, most integer, seconds integer)
    returns table (id uuid, person_id uuid, chat text, emitter text, content text, role text, label text, attempts integer, heard_us bigint)
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
        returning o.id, o.audience_id, o.chat, o.emitter, o.content, o.role, o.label, o.attempts,
            (select (extract(epoch from h.heard_at) * 1000000)::bigint from channel_heard h where h.tenant_id = o.tenant_id and h.bridge = o.bridge and h.chat = o.chat);
end $$;

-- As before; a message that the channel has already said to have failed is not delivered.
create or replace function hearth_settle_outgoing(of_id uuid, ended text, why text, wait double precision, there text) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update outbox set
        state = case when ended = 'delivered' and receipt = 'failed' then 'failed' when ended = 'unknown' and receipt in ('delivered', 'read') then 'delivered' else ended end,
        error = case when receipt <> '' and ended in ('delivered', 'unknown') then error else why end,
        told_as = case when there = '' then told_as else there end, due_at = clock_timestamp() + make_interval(secs => wait), changed_at = clock_timestamp()
        where id = of_id and tenant_id = hearth_tenant() and (state = 'in_flight' or (state = 'unknown' and ended in ('delivered', 'failed')));
    return found;
end $$;

drop function hearth_outbox_log(integer);
create function hearth_outbox_log(most integer)
    returns table (id uuid, person_id uuid, bridge text, chat text, emitter text, part integer, content text, rule text, state text, error text, attempts integer, created_us bigint, receipt text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.audience_id, o.bridge, o.chat, o.emitter, o.part, case when o.audience_id = hearth_person() then o.content end, o.rule, o.state, o.error, o.attempts,
        (extract(epoch from o.created_at) * 1000000)::bigint, o.receipt
    from outbox o where o.tenant_id = hearth_tenant() and (o.audience_id = hearth_person() or hearth_role() = 'owner') order by o.number desc limit most $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_heard(text, text, bigint)', 'hearth_note_receipt(text, uuid, text, text, text)', 'hearth_take_outgoing(text, integer, integer)', 'hearth_outbox_log(integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
