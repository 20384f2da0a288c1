-- A chat that goes on under another id takes along what came with its messages: what is said of that is said where the chat is now.
create or replace function hearth_move_chat(of_bridge text, old text, fresh text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update arrival set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update outbox set chat = fresh, due_at = least(due_at, clock_timestamp()) where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old and state in ('queued', 'in_flight');
    update pairing set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
    update channel_conversation c set chat = fresh where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.chat = old
        and not exists (select from channel_conversation o where o.tenant_id = c.tenant_id and o.audience_id = c.audience_id and o.bridge = of_bridge and o.chat = fresh);
    update blob set chat = fresh where tenant_id = hearth_tenant() and bridge = of_bridge and chat = old;
end $$;
