-- Who has left a chat of several people is in its group no more, until he writes there again: what waits or works for him in it lets him in no more.
alter table channel_conversation add column left_at timestamptz;  -- null: he reads there
grant update (left_at) on channel_conversation to hearth_app;

-- As before (0617), but for whoever has left.
create or replace function hearth_enter_chat_group(of_conversation uuid) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    place record;
    found_group uuid;
    called text;
begin
    select c.bridge, c.chat into place from channel_conversation c
        where c.tenant_id = hearth_tenant() and c.audience_id = hearth_person() and c.conversation_id = of_conversation and c.left_at is null;
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

-- The person of the transaction has left that chat.
create function hearth_leave_chat(of_bridge text, of_chat text) returns void
    language sql security definer set search_path = public, pg_temp as $$
    update channel_conversation set left_at = clock_timestamp()
        where tenant_id = hearth_tenant() and audience_id = hearth_person() and bridge = of_bridge and chat = of_chat;
    delete from membership m using chat_group g
        where g.tenant_id = hearth_tenant() and g.bridge = of_bridge and g.chat = of_chat and m.group_id = g.group_id and m.person_id = hearth_person();
$$;
revoke all on function hearth_leave_chat(text, text) from public;
grant execute on function hearth_leave_chat(text, text) to hearth_app;
