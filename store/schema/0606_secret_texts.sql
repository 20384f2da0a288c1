-- A text that is a secret, as a link that signs in is, lies in the outbox until it has left or cannot leave any more, and nobody is shown it there.

alter table outbox add column secret boolean not null default false;
create index outbox_secret on outbox (tenant_id, expires_at) where secret and digest = '';

create function hearth_erase_secret_text() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.digest := encode(sha256(convert_to(new.content, 'UTF8')), 'hex');
    new.content := '';
    return new;
end $$;
create trigger secret_text before insert or update on outbox for each row
    when (new.secret and new.digest = '' and new.state in ('delivered', 'failed', 'unknown')) execute function hearth_erase_secret_text();

-- As before (0526), but for none where it is 0; and secrets whose time is over, also of a channel that nothing is sent by any more.
create or replace function hearth_erase_outbox(days integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare n integer;
begin
    update outbox set state = case state when 'in_flight' then 'unknown' else 'failed' end, changed_at = clock_timestamp(),
            error = case state when 'in_flight' then 'whoever sent it has not told how that ended' else 'it could not be sent before it expired' end
        where tenant_id = hearth_tenant() and secret and digest = '' and expires_at <= clock_timestamp()
            and (state in ('prepared', 'queued') or (state = 'in_flight' and held_until < clock_timestamp()));
    update outbox set digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'), content = ''
        where days > 0 and tenant_id = hearth_tenant() and digest = '' and state in ('delivered', 'failed', 'unknown') and changed_at < clock_timestamp() - make_interval(days => days);
    get diagnostics n = row_count;
    return n;
end $$;

-- As before (0576), without secrets.
create or replace function hearth_outbox_log(most integer)
    returns table (id uuid, person_id uuid, bridge text, chat text, emitter text, part integer, content text, rule text, state text, error text, attempts integer, created_us bigint, receipt text, waits text, digest text,
                   told text, told_by text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.audience_id, o.bridge, o.chat, o.emitter, o.part, case when o.audience_id = hearth_person() and o.digest = '' and not o.secret then o.content end, o.rule, o.state, o.error, o.attempts,
        (extract(epoch from o.created_at) * 1000000)::bigint, o.receipt, case when o.state = 'queued' then o.waits else '' end, o.digest, o.told, coalesce(p.name, '')
    from outbox o left join person p on p.id = o.told_by
    where o.tenant_id = hearth_tenant() and (o.audience_id = hearth_person() or hearth_role() = 'owner') order by o.number desc limit most $$;
