-- What may hold a message back before it leaves: a person's word, quiet hours, silence, caps; and how long its words are kept.

-- A message that waits for the owner's word (a rule of the house that asks), and one whose words are no longer kept.
alter table outbox drop constraint outbox_state_check;
alter table outbox add constraint outbox_state_check check (state in ('prepared', 'queued', 'in_flight', 'delivered', 'failed', 'unknown'));
alter table outbox add column released boolean not null default false;  -- somebody has said yes
alter table outbox add column digest text not null default '';          -- SHA-256 of what was erased
alter table outbox add column waits text not null default '';           -- what a queued one waits for, where that is more than its turn
drop index outbox_open;
create index outbox_open on outbox (tenant_id, bridge, chat, number) where state in ('prepared', 'queued', 'in_flight');
create index outbox_sent on outbox (tenant_id, changed_at) where state in ('in_flight', 'delivered', 'unknown');  -- what the caps count
create index outbox_kept on outbox (tenant_id, changed_at) where digest = '' and state in ('delivered', 'failed', 'unknown');

-- Nothing leaves the house while there is a row.
create table outbox_silence (
    tenant_id uuid primary key default hearth_tenant() references tenant,
    since timestamptz not null default clock_timestamp(),
    until timestamptz  -- null: until it is taken back
);
-- When a person wants no messages but answers.
create table quiet_hours (
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid not null references person,
    from_minute integer not null check (from_minute between 0 and 1439),
    to_minute integer not null check (to_minute between 0 and 1439),
    zone text not null,
    primary key (tenant_id, person_id)
);
do $$
declare t text;
begin
    foreach t in array array['outbox_silence', 'quiet_hours'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_owner on %I to hearth_app using (tenant_id = hearth_tenant() and hearth_role() = ''owner'')'
                       ' with check (tenant_id = hearth_tenant() and hearth_role() = ''owner'')', t);
    end loop;
end $$;
grant select, insert, delete, update on outbox_silence, quiet_hours to hearth_app;

-- Null: nobody has asked for silence; else until when, and infinity where nobody has said.
create function hearth_silent_until() returns timestamptz
    language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(s.until, 'infinity') from outbox_silence s where s.tenant_id = hearth_tenant() and (s.until is null or s.until > clock_timestamp()) $$;

-- Whether the clock there shows a time between the two; null where nobody has said any.
create function hearth_in_hours(from_minute integer, to_minute integer, zone text) returns boolean
    language sql stable as $$
    select case when from_minute < to_minute then t.minute >= from_minute and t.minute < to_minute else t.minute >= from_minute or t.minute < to_minute end
    from (select (extract(hour from clock_timestamp() at time zone zone) * 60 + extract(minute from clock_timestamp() at time zone zone))::integer as minute) t $$;

-- As before (0525), within the caps: so many messages a minute, to so many chats an hour where nobody has written, of all channels together; in no silence, and
-- in nobody's quiet hours, unless he has written within the hour. What is held back stays queued, and says why.
drop function hearth_take_outgoing(text, integer, integer);
create function hearth_take_outgoing(of_bridge text, most integer, seconds integer, a_minute integer, chats_an_hour integer)
    returns table (id uuid, person_id uuid, chat text, emitter text, content text, role text, label text, attempts integer, heard_us bigint, released boolean)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    hour_ago timestamptz := clock_timestamp() - interval '1 hour';  -- an index is looked up by a value, not by what a clock says each time
    minute_ago timestamptz := clock_timestamp() - interval '1 minute';
    sent integer;
    reached integer;
begin
    if hearth_silent_until() is not null then return; end if;
    update outbox o set state = 'unknown', error = 'whoever sent it has not told how that ended', changed_at = clock_timestamp()
        where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.state = 'in_flight' and o.held_until < clock_timestamp();
    update outbox o set state = 'failed', error = 'it could not be sent before it expired', changed_at = clock_timestamp()
        where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.state in ('prepared', 'queued') and o.expires_at <= clock_timestamp();
    if not exists (select from outbox o where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.state = 'queued') then return; end if;
    perform pg_advisory_xact_lock(hashtextextended('outbox caps ' || hearth_tenant(), 0));  -- of several processes none counts what another is about to send
    select count(*) filter (where o.changed_at > minute_ago), count(distinct (o.bridge, o.chat)) filter (where h.chat is null) into sent, reached
        from outbox o left join channel_heard h on h.tenant_id = o.tenant_id and h.bridge = o.bridge and h.chat = o.chat and h.heard_at > hour_ago
        where o.tenant_id = hearth_tenant() and o.state in ('in_flight', 'delivered', 'unknown') and o.changed_at > hour_ago;
    return query
        with open as materialized (
            select c.id, c.number, h.chat is null and q.zone is not null and hearth_in_hours(q.from_minute, q.to_minute, q.zone) as quiet,
                h.chat is not null or exists (select from outbox b where b.tenant_id = c.tenant_id and b.bridge = c.bridge and b.chat = c.chat
                        and b.state in ('in_flight', 'delivered', 'unknown') and b.changed_at > hour_ago) as known
            from outbox c
                left join channel_heard h on h.tenant_id = c.tenant_id and h.bridge = c.bridge and h.chat = c.chat and h.heard_at > hour_ago
                left join quiet_hours q on q.tenant_id = c.tenant_id and q.person_id = c.audience_id
            where c.tenant_id = hearth_tenant() and c.bridge = of_bridge and c.state = 'queued' and c.due_at <= clock_timestamp()
                and not exists (select from outbox b where b.tenant_id = c.tenant_id and b.bridge = c.bridge and b.chat = c.chat
                                and (b.state = 'in_flight' or (b.state = 'queued' and b.number < c.number)
                                     or (b.state in ('delivered', 'unknown') and b.changed_at > clock_timestamp() - interval '1 second')))
            order by c.number for update of c skip locked),
        ranked as (select *, row_number() over (partition by quiet order by number) as place, count(*) filter (where not known) over (partition by quiet order by number) as newcomers from open),
        judged as (
            select r.id, case when quiet then 'quiet hours' when place > a_minute - sent then 'messages a minute' when not known and reached + newcomers > chats_an_hour then 'chats an hour'
                         when place > most then 'turn' else '' end as hold from ranked r),
        held as (update outbox o set waits = j.hold from judged j where o.id = j.id and j.hold not in ('', 'turn') and o.waits <> j.hold)
        update outbox o set state = 'in_flight', waits = '', attempts = o.attempts + 1, held_until = clock_timestamp() + make_interval(secs => seconds), changed_at = clock_timestamp()
        from judged j where o.id = j.id and j.hold = ''
        returning o.id, o.audience_id, o.chat, o.emitter, o.content, o.role, o.label, o.attempts,
            (select (extract(epoch from h.heard_at) * 1000000)::bigint from channel_heard h where h.tenant_id = o.tenant_id and h.bridge = o.bridge and h.chat = o.chat), o.released;
end $$;

-- The owner's word on one that waits for it, with all its parts.
create function hearth_release_outgoing(of_id uuid, may_leave boolean) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update outbox set state = case when may_leave then 'queued' else 'failed' end, released = may_leave, error = case when may_leave then '' else 'the owner kept it in' end, changed_at = clock_timestamp()
        where tenant_id = hearth_tenant() and state = 'prepared' and hearth_role() = 'owner' and (bridge, chat, emitter) = (select o.bridge, o.chat, o.emitter from outbox o where o.id = of_id and o.tenant_id = hearth_tenant());
    return found;
end $$;

-- Words that are older than so many days; what is kept says that it was these.
create function hearth_erase_outbox(days integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare n integer;
begin
    update outbox set digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'), content = ''
        where tenant_id = hearth_tenant() and digest = '' and state in ('delivered', 'failed', 'unknown') and changed_at < clock_timestamp() - make_interval(days => days);
    get diagnostics n = row_count;
    return n;
end $$;

-- As before (0525), with what it waits for, and whether its words were erased.
drop function hearth_outbox_log(integer);
create function hearth_outbox_log(most integer)
    returns table (id uuid, person_id uuid, bridge text, chat text, emitter text, part integer, content text, rule text, state text, error text, attempts integer, created_us bigint, receipt text, waits text, digest text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.id, o.audience_id, o.bridge, o.chat, o.emitter, o.part, case when o.audience_id = hearth_person() and o.digest = '' then o.content end, o.rule, o.state, o.error, o.attempts,
        (extract(epoch from o.created_at) * 1000000)::bigint, o.receipt, case when o.state = 'queued' then o.waits else '' end, o.digest
    from outbox o where o.tenant_id = hearth_tenant() and (o.audience_id = hearth_person() or hearth_role() = 'owner') order by o.number desc limit most $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_silent_until()', 'hearth_take_outgoing(text, integer, integer, integer, integer)', 'hearth_release_outgoing(uuid, boolean)', 'hearth_erase_outbox(integer)', 'hearth_outbox_log(integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
