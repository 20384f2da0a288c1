-- Which message of a chat an arrival is, so that it can be answered as such and an edit of it is known; and chats that move.

alter table arrival add column message text not null default '';       -- the channel's id of it, unless it began no run
alter table arrival add column digest text not null default '';        -- of what it says: an edit that changes nothing is none
alter table arrival add column in_company boolean not null default false;  -- others read there too
create index arrival_message on arrival (tenant_id, bridge, chat, message) where message <> '';
grant update (question) on run to hearth_app;  -- of one that nobody has begun, when what it asks is edited

-- A run is about to answer it.
create function hearth_note_arrival(of_bridge text, of_update text, in_chat text, of_message text, of_digest text, company boolean) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update arrival set chat = in_chat, message = of_message, digest = of_digest, in_company = company
    where tenant_id = hearth_tenant() and bridge = of_bridge and update_id = of_update and state = 'new' $$;

drop function hearth_working_arrivals();
create function hearth_working_arrivals() returns table (bridge text, update_id text, chat text, person_id uuid, role text, run_id uuid, message text, in_company boolean)
    language sql stable security definer set search_path = public, pg_temp as $$
    select a.bridge, a.update_id, a.chat, a.person_id, p.role, a.run_id, a.message, a.in_company from arrival a join person p on p.id = a.person_id
    where a.tenant_id = hearth_tenant() and a.state = 'working' order by a.arrived_at $$;

create function hearth_arrival_of(of_bridge text, in_chat text, of_message text) returns table (update_id text, state text, run_id uuid, person_id uuid, digest text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select a.update_id, a.state, a.run_id, a.person_id, a.digest from arrival a
    where a.tenant_id = hearth_tenant() and a.bridge = of_bridge and a.chat = in_chat and a.message = of_message and of_message <> '' order by a.arrived_at desc limit 1 $$;

create function hearth_redigest_arrival(of_bridge text, of_update text, of_digest text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update arrival set digest = of_digest where tenant_id = hearth_tenant() and bridge = of_bridge and update_id = of_update $$;

-- The chat goes on under another id: what is to be answered or sent there is, and its conversations go on. Where both have one, the
-- new one stands.
create function hearth_move_chat(of_bridge text, old text, fresh text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update arrival set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update outbox set chat = fresh, due_at = least(due_at, clock_timestamp()) where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old and state in ('queued', 'in_flight');
    update pairing set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update channel_conversation c set chat = fresh where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.chat = old
        and not exists (select from channel_conversation o where o.tenant_id = c.tenant_id and o.audience_id = c.audience_id and o.bridge = of_bridge and o.chat = fresh);
end $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_note_arrival(text, text, text, text, text, boolean)', 'hearth_working_arrivals()', 'hearth_arrival_of(text, text, text)',
                             'hearth_redigest_arrival(text, text, text)', 'hearth_move_chat(text, text, text)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
