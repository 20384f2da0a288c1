-- Who asks a channel for messages holds an advisory lock as long as his process lives (store::Db::try_lock): of one that was killed nobody waits for the time that it had.
create or replace function hearth_hold_poll(of_bridge text, by text, seconds integer) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into bridge_poll (bridge, holder, held_until) values (of_bridge, by, clock_timestamp() + make_interval(secs => seconds))
        on conflict (tenant_id, bridge) do update set holder = excluded.holder, held_until = excluded.held_until
        where bridge_poll.holder = excluded.holder or bridge_poll.held_until < clock_timestamp() or pg_try_advisory_xact_lock(hashtextextended(bridge_poll.holder, 7));
    return found;
end $$;
