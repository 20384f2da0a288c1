-- What is told to the assistant before others is known to those who read there: whoever writes to it in a chat of several people is in that chat's group from then on.
create table chat_group (
    tenant_id uuid not null default hearth_tenant() references tenant,
    bridge text not null,
    chat text not null,
    group_id uuid not null references person_group on delete cascade,
    primary key (tenant_id, bridge, chat)
);
alter table chat_group enable row level security;
alter table chat_group force row level security;
create policy owner_all on chat_group to hearth_owner using (true) with check (true);

-- The group of the chat in which this person has that conversation, which he is in from now on; null: it is in none, or he is a guest.
create function hearth_enter_chat_group(of_conversation uuid) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    place record;
    found_group uuid;
    called text;
begin
    select c.bridge, c.chat into place from channel_conversation c
        where c.tenant_id = hearth_tenant() and c.audience_id = hearth_person() and c.conversation_id = of_conversation;
    if not found or hearth_role() not in ('owner', 'member') then return null; end if;
    select g.group_id into found_group from chat_group g where g.tenant_id = hearth_tenant() and g.bridge = place.bridge and g.chat = place.chat;
    if found_group is null then
        perform pg_advisory_xact_lock(hashtextextended('group', 0));  -- as whoever names a group
        select g.group_id into found_group from chat_group g where g.tenant_id = hearth_tenant() and g.bridge = place.bridge and g.chat = place.chat;
    end if;
    if found_group is null then
        found_group := gen_random_uuid();
        called := place.bridge || ' ' || place.chat;
        if exists (select from person_group g where g.tenant_id = hearth_tenant() and lower(g.name) = lower(called)) then called := called || ' ' || found_group; end if;
        insert into person_group (id, tenant_id, name) values (found_group, hearth_tenant(), called);
        insert into chat_group (bridge, chat, group_id) values (place.bridge, place.chat, found_group);
    end if;
    insert into membership (tenant_id, group_id, person_id) values (hearth_tenant(), found_group, hearth_person()) on conflict do nothing;
    return found_group;
end $$;
revoke all on function hearth_enter_chat_group(uuid) from public;
grant execute on function hearth_enter_chat_group(uuid) to hearth_app;

-- As before (0571), and its group with it.
create or replace function hearth_move_chat(of_bridge text, old text, fresh text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update arrival set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update outbox set chat = fresh, due_at = least(due_at, clock_timestamp()) where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old and state in ('queued', 'in_flight');
    update pairing set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update channel_conversation c set chat = fresh where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.chat = old
        and not exists (select from channel_conversation o where o.tenant_id = c.tenant_id and o.audience_id = c.audience_id and o.bridge = of_bridge and o.chat = fresh);
    update chat_group c set chat = fresh where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.chat = old
        and not exists (select from chat_group o where o.tenant_id = c.tenant_id and o.bridge = of_bridge and o.chat = fresh);
    update blob set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
end $$;
