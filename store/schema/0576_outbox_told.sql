-- The owner's word on what nobody knows the end of: that it has arrived, that it has not, or that it is to be sent once more.

alter table outbox add column told text not null default '' check (told in ('', 'sent', 'unsent', 'again'));
alter table outbox add column told_by uuid references person;  -- who said so
alter table outbox add column told_at timestamptz;
alter table outbox add constraint outbox_told_by check ((told = '') = (told_by is null));

-- Null: done. Else why not: 'none', the state of one whose end is known, 'expired', or 'erased'. What is sent again keeps its place and its time.
create function hearth_tell_outgoing(of_id uuid, word text) returns text
    language plpgsql security definer set search_path = public, pg_temp as $$
declare o outbox;
begin
    select * into o from outbox b where b.id = of_id and b.tenant_id = hearth_tenant() and hearth_role() = 'owner' for update;
    if o.id is null then return 'none'; end if;
    if o.state <> 'unknown' then return o.state; end if;
    if word = 'again' and (o.digest <> '' or o.content = '[forgotten]') then return 'erased'; end if;
    if word = 'again' and o.expires_at <= clock_timestamp() then return 'expired'; end if;
    update outbox set told = word, told_by = hearth_person(), told_at = clock_timestamp(), changed_at = clock_timestamp(), due_at = clock_timestamp(),
        state = case word when 'sent' then 'delivered' when 'unsent' then 'failed' else 'queued' end,
        error = case word when 'sent' then '' else o.error end where id = of_id;
    return null;
end $$;

-- As before (0526), with who has said how it ended.
drop function hearth_outbox_log(integer);
create function hearth_outbox_log(most integer)
    returns table (id uuid, person_id uuid, bridge text, chat text, emitter text, part integer, content text, rule text, state text, error text, attempts integer, created_us bigint, receipt text, waits text, digest text,
                   told text, told_by text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.audience_id, o.bridge, o.chat, o.emitter, o.part, case when o.audience_id = hearth_person() and o.digest = '' then o.content end, o.rule, o.state, o.error, o.attempts,
        (extract(epoch from o.created_at) * 1000000)::bigint, o.receipt, case when o.state = 'queued' then o.waits else '' end, o.digest, o.told, coalesce(p.name, '')
    from outbox o left join person p on p.id = o.told_by
    where o.tenant_id = hearth_tenant() and (o.audience_id = hearth_person() or hearth_role() = 'owner') order by o.number desc limit most $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_tell_outgoing(uuid, text)', 'hearth_outbox_log(integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
