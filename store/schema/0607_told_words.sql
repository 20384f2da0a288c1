-- What others asked in a group, and were told there, lies in the runs of whoever was told it (hearth_group_talk): each such run tells of which runs it holds words, so that
-- whoever forgets them forgets them there, too.

create table told_words (
    run_id uuid not null references run,     -- in which they were told
    source_run_id uuid not null,             -- in which they were said
    digest text not null,                    -- SHA-256 of the message that tells them
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    gone boolean not null default false,     -- they are forgotten, and the run had not ended then
    primary key (run_id, source_run_id, digest)
);
create index told_words_of on told_words (source_run_id);
alter table told_words enable row level security;
alter table told_words force row level security;
create policy owner_all on told_words to hearth_owner using (true) with check (true);
create policy of_person on told_words to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
grant select, insert on told_words to hearth_app;

-- As before (0578), with the run in which it was said.
drop function hearth_group_talk(text, text, integer);
create function hearth_group_talk(of_bridge text, of_chat text, most integer) returns table (name text, asked text, answered text, run uuid)
    language sql stable security definer set search_path = public, pg_temp as $$
    select t.name, t.asked, t.answered, t.id from (
        select p.name, coalesce((select case when position('\u0000' in m.body) > 0 then '' else m.body::json->>'content' end from message m where m.id = r.input_id), r.question, '') as asked, coalesce(r.turn->>'answer', '') as answered, r.finished_at, r.id
        from arrival a join run r on r.id = a.run_id join person p on p.id = a.person_id
        where a.tenant_id = hearth_tenant() and a.bridge = of_bridge and a.chat = of_chat and a.in_company and a.state = 'done' and a.person_id <> hearth_person() and r.state = 'answered'
            and r.finished_at > greatest(clock_timestamp() - interval '1 day', (
                select coalesce(max(own.started_at), 'infinity') from arrival b join run own on own.id = b.run_id
                where b.tenant_id = a.tenant_id and b.bridge = of_bridge and b.chat = of_chat and b.person_id = hearth_person() and own.finished_at is not null))
            and exists (select from outbox o where o.tenant_id = a.tenant_id and o.bridge = of_bridge and o.chat = of_chat and o.emitter = 'run:' || r.id and o.state = 'delivered')
        order by r.finished_at desc limit most) t
    order by t.finished_at $$;
revoke all on function hearth_group_talk(text, text, integer) from public;
grant execute on function hearth_group_talk(text, text, integer) to hearth_app;

-- The run of another person whose answer was sent there as that message.
create function hearth_others_answer(of_bridge text, in_chat text, there text) returns uuid
    language sql stable security definer set search_path = public, pg_temp as $$
    select substr(o.emitter, length('run:') + 1)::uuid from outbox o
    where o.tenant_id = hearth_tenant() and o.bridge = of_bridge and o.chat = in_chat and o.told_as = there and there <> '' and o.audience_id <> hearth_person() and starts_with(o.emitter, 'run:')
    limit 1 $$;
revoke all on function hearth_others_answer(text, text, text) from public;
grant execute on function hearth_others_answer(text, text, text) to hearth_app;

-- What a message says; null where nothing takes it apart.
create function hearth_message_text(body text) returns text language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    return body::json ->> 'content';
exception when data_exception then
    return null;
end $$;

-- Texts as they stand in a text, in JSON, and in JSON within JSON; those that are shorter are left out.
create function hearth_forms(texts text[], shortest integer) returns text[] language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct w.word), '{}') from unnest(texts) t(said)
        cross join lateral (select substr(to_json(t.said)::text, 2, length(to_json(t.said)::text) - 2) as once) a
        cross join lateral (select substr(to_json(a.once)::text, 2, length(to_json(a.once)::text) - 2) as twice) b
        cross join lateral unnest(array[t.said, a.once, b.twice]) w(word)
        where length(t.said) >= shortest $$;

-- Blanks somebody's rows as hearth_forget says: of `told_runs` all that was said, of `touched` what was worked with, of all others what holds one of the words; nothing of open
-- runs. → how many of each kind, in hearth_forget's order.
create function hearth_blank_rows(who uuid, told_runs uuid[], touched uuid[], open uuid[], words text[]) returns bigint[]
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    counts bigint[] := array_fill(0::bigint, array[17]);
    talks uuid[]; told_in uuid[];
    gone bigint;
begin
    update message m set body = hearth_blank_message(m.role, m.body) where m.audience_id = who and (m.run_id is null or m.run_id <> all(open))
        and (m.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in m.body) > 0));
    get diagnostics gone = row_count; counts[2] := gone;
    update step s set input = '{"forgotten": true}', outcome = case when s.state = 'intent' then s.outcome else '{"forgotten": true}' end where s.audience_id = who and s.run_id <> all(open)
        and (s.run_id = any(touched) or exists (select from unnest(words) w where position(w in s.input::text || s.outcome::text) > 0));
    get diagnostics gone = row_count; counts[3] := gone;
    update run r set turn = '{}', request = null, question = '', metadata = null where r.audience_id = who and r.id <> all(open) and r.state is not null
        and (r.id = any(touched) or exists (select from unnest(words) w where position(w in r.turn::text || r.question || coalesce(r.request::text, '') || coalesce(r.metadata::text, '')) > 0));
    get diagnostics gone = row_count; counts[4] := gone;
    update run_turn t set turn = '{}' where t.audience_id = who and t.run_id <> all(open)
        and (t.run_id = any(touched) or exists (select from unnest(words) w where position(w in t.turn::text) > 0));
    delete from run_event e where e.audience_id = who and e.run_id <> all(open)
        and (e.run_id = any(touched) or exists (select from unnest(words) w where position(w in e.body::text) > 0));
    get diagnostics gone = row_count; counts[5] := gone;
    delete from span_body b using span s where s.id = b.span_id and b.audience_id = who
        and (s.run_id = any(touched) or exists (select from unnest(words) w where position(w in b.body) > 0));
    get diagnostics gone = row_count; counts[6] := gone;
    update run_input i set body = '[forgotten]' where i.audience_id = who and i.run_id <> all(open)
        and (i.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in i.body) > 0));
    get diagnostics gone = row_count; counts[7] := gone;
    update approval a set arguments = '{}' where a.audience_id = who and a.run_id <> all(open)
        and (a.run_id = any(touched) or exists (select from unnest(words) w where position(w in a.arguments::text) > 0));
    get diagnostics gone = row_count; counts[8] := gone;
    delete from response p where p.audience_id = who
        and (p.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in p.input || p.body) > 0));
    get diagnostics gone = row_count; counts[9] := gone;
    -- What waits to leave does not leave any more; what is leaving now has left.
    update outbox o set content = '[forgotten]', error = case when o.state in ('queued', 'prepared') then 'forgotten' else o.error end, state = case when o.state in ('queued', 'prepared') then 'failed' else o.state end,
            changed_at = case when o.state in ('queued', 'prepared') then clock_timestamp() else o.changed_at end
        where o.audience_id = who and (o.emitter = any(select 'run:' || t from unnest(told_runs) t) or exists (select from unnest(words) w where position(w in o.content) > 0));
    get diagnostics gone = row_count; counts[10] := gone;
    select coalesce(array_agg(distinct c), '{}') into talks from (
        select g.conversation_id as c from segment g where g.audience_id = who and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0))
        union select r.conversation_id from run r where r.audience_id = who and r.id = any(told_runs)) t;
    select coalesce(array_agg(distinct g.episode_id), '{}') into told_in from segment g where g.audience_id = who and g.episode_id is not null
        and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
    delete from segment g where g.audience_id = who
        and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
    get diagnostics gone = row_count; counts[11] := gone;
    -- A summary says it in words of its own; of the segments that stay another one is made.
    delete from episode e where e.audience_id = who and e.id = any(told_in);
    get diagnostics gone = row_count; counts[12] := gone;
    delete from archive_key k where k.audience_id = who and k.conversation_id = any(talks);
    get diagnostics gone = row_count; counts[13] := gone;
    update segment g set archived = false where g.audience_id = who and g.conversation_id = any(talks) and g.archived;
    update episode e set archived = false where e.audience_id = who and e.conversation_id = any(talks) and e.archived;
    delete from collection_item i where i.audience_id = who and (i.run_id is null or i.run_id <> all(open))
        and (i.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in i.body) > 0));
    get diagnostics gone = row_count; counts[14] := gone;
    delete from scratchpad p where p.audience_id = who and p.run_id <> all(open)
        and (p.run_id = any(touched) or p.conversation_id = any(talks) or exists (select from unnest(words) w where position(w in p.body) > 0));
    get diagnostics gone = row_count; counts[15] := gone;
    counts[16] := hearth_erase_details(who, touched, open, words);
    update thread t set label = '' where t.audience_id = who and exists (select from unnest(words) w where position(w in t.label) > 0);
    return counts;
end $$;

-- Of what is to be forgotten: the facts that the person may see, whose they are, their words, and the person's runs in which they were told.
create function hearth_forgetting(wanted uuid[], shortest integer) returns table (ids uuid[], whose uuid[], words text[], told_runs uuid[])
    language sql stable security definer set search_path = public, pg_temp as $$
    with sought as (select f.id, f.audience_id, f.body from fact f
        where (f.id = any(wanted) or exists (select from fact_sighting s where s.fact_id = f.id and s.id = any(wanted))) and f.tenant_id = hearth_tenant()
            and (f.audience_id = hearth_person() or exists (select from membership m where m.group_id = f.audience_id and m.person_id = hearth_person())))
    select array_agg(f.id), array_agg(distinct f.audience_id), hearth_forms(array_agg(f.body), shortest),
        (select coalesce(array_agg(distinct s.run_id), '{}') from fact_sighting s join run r on r.id = s.run_id where s.fact_id in (select id from sought) and r.audience_id = hearth_person())
        from sought f $$;

-- Forgets facts that the person may see, and reports how much went: of each kind of row how many, and how many facts. Blank is made
--   of the runs in which they were told: all messages, segments and the episodes that they are of, steps, working states, events, trace bodies, what was added, and what left for the person;
--   of the runs in which they were recalled: steps, working states, events and trace bodies;
--   of the person's other rows: those that hold a fact's words, where these are at least `shortest` characters.
-- Of spans the attributes and errors go too where these runs made them, or where they hold the words; digest and chain stay. The keys of the archive go for each conversation of which
-- a segment goes: what is still in the table is archived anew, under another key.
-- Runs that have not ended are left, and counted as open_runs. Unless `really`, nothing changes.
create or replace function hearth_forget(wanted uuid[], really boolean, shortest integer) returns table (kind text, number bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    me constant uuid := hearth_person();
    it record; recalled uuid[]; touched uuid[]; open uuid[];
    counts bigint[];
    gone bigint;
begin
    -- Not amid an archiving (store/archive.h): what it has sealed would stay marked as archived under a key that is gone.
    perform pg_advisory_xact_lock(hashtextextended('archive ' || me, 0));
    select * into it from hearth_forgetting(wanted, shortest);
    if it.ids is null then return; end if;
    select coalesce(array_agg(distinct s.run_id), '{}') into recalled from span s where s.audience_id = me
        and exists (select from unnest(it.ids) i where position(i::text in s.attributes) > 0);
    touched := it.told_runs || recalled;
    select coalesce(array_agg(r.id), '{}') into open from run r where r.audience_id = me and (r.state is null or r.state in ('waiting_person', 'waiting_client'))
        and (r.id = any(touched) or exists (select from unnest(it.words) w where position(w in r.turn::text) > 0));
    begin
        counts := hearth_blank_rows(me, it.told_runs, touched, open, it.words);
        insert into memory_erasure (audience_id, written) select a, pg_current_xact_id()::text::bigint from unnest(it.whose) a
            on conflict (audience_id) do update set written = excluded.written;
        delete from fact f where f.id = any(it.ids);
        get diagnostics gone = row_count; counts[1] := gone;
        counts[17] := cardinality(open);
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select * from unnest(array['facts', 'messages', 'steps', 'runs', 'events', 'trace_bodies', 'inputs', 'approvals', 'responses', 'outbox', 'segments', 'episodes', 'archive_keys', 'collection_items', 'scratchpads', 'trace_details', 'open_runs'], counts);
end $$;

-- Of a run that has ended what it holds of words that were told in it and are gone: the message that told them, that part of its segment, all else that holds that text, and what its
-- answer says in the same words, or all that it says where `words` is null. What the person himself has said stays. → whether it has ended.
create function hearth_erase_told(of_run uuid, words text[]) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    who uuid; talk uuid; texts text[]; told text; touched uuid[]; open uuid[];
begin
    select r.audience_id, r.conversation_id into who, talk from run r where r.id = of_run and r.state is not null and r.state not in ('waiting_person', 'waiting_client');
    if who is null then return false; end if;
    perform pg_advisory_xact_lock(hashtextextended('archive ' || who, 0));
    select coalesce(array_agg(distinct m.said), '{}') into texts from (select hearth_message_text(b.body) as said from message b where b.run_id = of_run and b.role = 'user') m
        where exists (select from told_words t where t.run_id = of_run and t.gone and t.digest = encode(sha256(convert_to(m.said, 'UTF8')), 'hex'));
    select coalesce(array_agg(g.id), '{}') into touched from segment g where g.audience_id = who and g.conversation_id = talk
        and (exists (select from unnest(texts) t where position(t in g.asked) > 0) or (g.run_id = of_run and (words is null or exists (select from unnest(words) w where position(w in g.answered) > 0))));
    foreach told in array texts loop
        update segment g set asked = replace(replace(g.asked, told || E'\n\n', ''), told, '') where g.id = any(touched);
    end loop;
    update segment g set answered = '[forgotten]' where g.id = any(touched) and g.run_id = of_run and (words is null or exists (select from unnest(words) w where position(w in g.answered) > 0));
    delete from vector v where v.segment_id = any(touched);
    delete from episode e where e.id in (select g.episode_id from segment g where g.id = any(touched));
    delete from archive_key k where k.audience_id = who and k.conversation_id = talk;
    update segment g set archived = false where g.audience_id = who and g.conversation_id = talk and g.archived;
    update episode e set archived = false where e.audience_id = who and e.conversation_id = talk and e.archived;
    update message m set body = hearth_blank_message(m.role, m.body) where m.run_id = of_run and m.role <> 'user' and (words is null or exists (select from unnest(words) w where position(w in m.body) > 0));
    update outbox o set content = '[forgotten]', error = case when o.state in ('queued', 'prepared') then 'forgotten' else o.error end, state = case when o.state in ('queued', 'prepared') then 'failed' else o.state end,
            changed_at = case when o.state in ('queued', 'prepared') then clock_timestamp() else o.changed_at end
        where o.audience_id = who and o.emitter = 'run:' || of_run and (words is null or exists (select from unnest(words) w where position(w in o.content) > 0));
    select coalesce(array_agg(r.id), '{}') into open from run r where r.audience_id = who and (r.state is null or r.state in ('waiting_person', 'waiting_client'));
    perform hearth_blank_rows(who, '{}', array[of_run], open, hearth_forms(texts, 1));
    insert into memory_erasure (audience_id, written) values (who, pg_current_xact_id()::text::bigint) on conflict (audience_id) do update set written = excluded.written;
    delete from told_words t where t.run_id = of_run and t.gone;
    return true;
end $$;

-- Of facts that are about to be forgotten (hearth_forget), and as that: what the person said where they were told, or in their words, in others' runs that were told it; and where
-- others' answers hold the words, in the runs that were told these. → of each of the others how many runs; of those that have not ended it goes with their end.
create function hearth_forget_told(wanted uuid[], really boolean, shortest integer) returns table (person uuid, runs bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    me constant uuid := hearth_person();
    it record; found uuid[]; people uuid[];
begin
    select * into it from hearth_forgetting(wanted, shortest);
    if it.ids is null then return; end if;
    -- All that this and hearth_forget may need, in order: of two who forget at once, each would else wait for the other.
    perform pg_advisory_xact_lock(hashtextextended('archive ' || p.id, 0)) from (select me as id union select t.audience_id from told_words t where t.tenant_id = hearth_tenant() order by id) p;
    begin
        with recursive reach as (
            select t.run_id, t.source_run_id, t.digest from told_words t where t.audience_id <> me and t.source_run_id in (select r.id from run r where r.audience_id = me and (r.id = any(it.told_runs)
                or exists (select from message m where m.run_id = r.id and exists (select from unnest(it.words) w where position(w in m.body) > 0))))
            union select t.run_id, t.source_run_id, t.digest from reach r join told_words t on t.source_run_id = r.run_id and t.audience_id <> me
                join message m on m.run_id = t.run_id and m.role = 'user' and exists (select from unnest(it.words) w where position(w in m.body) > 0)),
        marked as (update told_words t set gone = true from reach r where (t.run_id, t.source_run_id, t.digest) = (r.run_id, r.source_run_id, r.digest) returning t.run_id)
        select array_agg(distinct m.run_id) into found from marked m;
        select array_agg(r.audience_id) into people from (select u.audience_id, hearth_erase_told(u.id, it.words) as ended from run u where u.id = any(found)) r where r.ended;
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select p, count(*) from unnest(people) p group by p;
end $$;

-- What was to be forgotten of it while the person's run had not ended. Nobody knows the words any more: its answer goes whole, since it may say them.
create function hearth_erase_told_at_end(of_run uuid) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from told_words t where t.run_id = of_run and t.gone and t.audience_id = hearth_person()) then perform hearth_erase_told(of_run, null); end if;
end $$;

revoke all on function hearth_message_text(text), hearth_forms(text[], integer), hearth_blank_rows(uuid, uuid[], uuid[], uuid[], text[]), hearth_forgetting(uuid[], integer), hearth_erase_told(uuid, text[]),
    hearth_forget_told(uuid[], boolean, integer), hearth_erase_told_at_end(uuid) from public;
grant execute on function hearth_forget_told(uuid[], boolean, integer), hearth_erase_told_at_end(uuid) to hearth_app;
