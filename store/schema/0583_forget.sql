-- Forgetting reaches attributes and errors of spans: the chain of a run is over their digest from now on, as it is over the digest of bodies, so that they can be erased and it still holds.

alter table span add column details_digest text;  -- of error and attributes; null: the chain is over these themselves
drop trigger append_only on span;
create trigger append_only before delete or truncate on span for each statement execute function hearth_refuse_change();
create function hearth_erased_only() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.details_digest is not null and new.attributes = '{"forgotten":true}' and new.error = (case old.error when '' then '' else '[forgotten]' end)
        and to_jsonb(new) - array['attributes', 'error'] = to_jsonb(old) - array['attributes', 'error'] then return new; end if;
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger append_only_but_erased before update on span for each row execute function hearth_erased_only();

-- Of the person's spans of those runs, and of those that hold one of the words: how many. Not of what is still going on.
create function hearth_erase_details(me uuid, touched uuid[], open uuid[], words text[]) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
begin
    update span s set attributes = '{"forgotten":true}', error = case s.error when '' then '' else '[forgotten]' end
        where s.audience_id = me and s.details_digest is not null and s.attributes <> '{"forgotten":true}' and s.run_id <> all(open)
            and (s.run_id = any(touched) or exists (select from unnest(words) w where position(w in s.attributes || s.error) > 0));
    get diagnostics gone = row_count;
    return gone;
end $$;
revoke all on function hearth_erase_details(uuid, uuid[], uuid[], text[]) from public;

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
    ids uuid[]; whose uuid[]; words text[]; told_runs uuid[]; recalled uuid[]; touched uuid[]; open uuid[]; told_in uuid[];
    counts bigint[] := array_fill(0::bigint, array[17]);
    talks uuid[];
    gone bigint;
begin
    -- Not amid an archiving (store/archive.h): what it has sealed would stay marked as archived under a key that is gone.
    perform pg_advisory_xact_lock(hashtextextended('archive ' || me, 0));
    select array_agg(distinct f.id), array_agg(distinct f.audience_id) into ids, whose from fact f
        where (f.id = any(wanted) or exists (select from fact_sighting s where s.fact_id = f.id and s.id = any(wanted))) and f.tenant_id = hearth_tenant()
            and (f.audience_id = me or exists (select from membership m where m.group_id = f.audience_id and m.person_id = me));
    if ids is null then return; end if;
    -- As they stand in a text, in JSON, and in JSON within JSON.
    select array_agg(distinct w.word) into words from fact f
        cross join lateral (select f.body as said, substr(to_json(f.body)::text, 2, length(to_json(f.body)::text) - 2) as once) a
        cross join lateral (select substr(to_json(a.once)::text, 2, length(to_json(a.once)::text) - 2) as twice) b
        cross join lateral unnest(array[a.said, a.once, b.twice]) w(word)
        where f.id = any(ids) and length(f.body) >= shortest;
    words := coalesce(words, '{}');
    select coalesce(array_agg(distinct s.run_id) filter (where s.run_id is not null), '{}') into told_runs from fact_sighting s join run r on r.id = s.run_id
        where s.fact_id = any(ids) and r.audience_id = me;
    select coalesce(array_agg(distinct s.run_id), '{}') into recalled from span s where s.audience_id = me
        and exists (select from unnest(ids) i where position(i::text in s.attributes) > 0);
    touched := told_runs || recalled;
    select coalesce(array_agg(r.id), '{}') into open from run r where r.audience_id = me and (r.state is null or r.state in ('waiting_person', 'waiting_client'))
        and (r.id = any(touched) or exists (select from unnest(words) w where position(w in r.turn::text) > 0));
    begin
        update message m set body = hearth_blank_message(m.role, m.body) where m.audience_id = me and (m.run_id is null or m.run_id <> all(open))
            and (m.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in m.body) > 0));
        get diagnostics gone = row_count; counts[2] := gone;
        update step s set input = '{"forgotten": true}', outcome = case when s.state = 'intent' then s.outcome else '{"forgotten": true}' end where s.audience_id = me and s.run_id <> all(open)
            and (s.run_id = any(touched) or exists (select from unnest(words) w where position(w in s.input::text || s.outcome::text) > 0));
        get diagnostics gone = row_count; counts[3] := gone;
        update run r set turn = '{}', request = null, question = '', metadata = null where r.audience_id = me and r.id <> all(open) and r.state is not null
            and (r.id = any(touched) or exists (select from unnest(words) w where position(w in r.turn::text || r.question || coalesce(r.request::text, '') || coalesce(r.metadata::text, '')) > 0));
        get diagnostics gone = row_count; counts[4] := gone;
        update run_turn t set turn = '{}' where t.audience_id = me and t.run_id <> all(open)
            and (t.run_id = any(touched) or exists (select from unnest(words) w where position(w in t.turn::text) > 0));
        delete from run_event e where e.audience_id = me and e.run_id <> all(open)
            and (e.run_id = any(touched) or exists (select from unnest(words) w where position(w in e.body::text) > 0));
        get diagnostics gone = row_count; counts[5] := gone;
        delete from span_body b using span s where s.id = b.span_id and b.audience_id = me
            and (s.run_id = any(touched) or exists (select from unnest(words) w where position(w in b.body) > 0));
        get diagnostics gone = row_count; counts[6] := gone;
        update run_input i set body = '[forgotten]' where i.audience_id = me and i.run_id <> all(open)
            and (i.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in i.body) > 0));
        get diagnostics gone = row_count; counts[7] := gone;
        update approval a set arguments = '{}' where a.audience_id = me and a.run_id <> all(open)
            and (a.run_id = any(touched) or exists (select from unnest(words) w where position(w in a.arguments::text) > 0));
        get diagnostics gone = row_count; counts[8] := gone;
        delete from response p where p.audience_id = me
            and (p.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in p.input || p.body) > 0));
        get diagnostics gone = row_count; counts[9] := gone;
        -- What waits to leave does not leave any more; what is leaving now has left.
        update outbox o set content = '[forgotten]', error = case o.state when 'queued' then 'forgotten' else o.error end, state = case o.state when 'queued' then 'failed' else o.state end,
                changed_at = case o.state when 'queued' then clock_timestamp() else o.changed_at end
            where o.audience_id = me and (o.emitter = any(select 'run:' || t from unnest(told_runs) t) or exists (select from unnest(words) w where position(w in o.content) > 0));
        get diagnostics gone = row_count; counts[10] := gone;
        select coalesce(array_agg(distinct c), '{}') into talks from (
            select g.conversation_id as c from segment g where g.audience_id = me and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0))
            union select r.conversation_id from run r where r.audience_id = me and r.id = any(told_runs)) t;
        select coalesce(array_agg(distinct g.episode_id), '{}') into told_in from segment g where g.audience_id = me and g.episode_id is not null
            and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
        delete from segment g where g.audience_id = me
            and (g.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
        get diagnostics gone = row_count; counts[11] := gone;
        -- A summary says it in words of its own; of the segments that stay another one is made.
        delete from episode e where e.audience_id = me and e.id = any(told_in);
        get diagnostics gone = row_count; counts[12] := gone;
        delete from archive_key k where k.audience_id = me and k.conversation_id = any(talks);
        get diagnostics gone = row_count; counts[13] := gone;
        update segment g set archived = false where g.audience_id = me and g.conversation_id = any(talks) and g.archived;
        update episode e set archived = false where e.audience_id = me and e.conversation_id = any(talks) and e.archived;
        delete from collection_item i where i.audience_id = me and (i.run_id is null or i.run_id <> all(open))
            and (i.run_id = any(told_runs) or exists (select from unnest(words) w where position(w in i.body) > 0));
        get diagnostics gone = row_count; counts[14] := gone;
        delete from scratchpad p where p.audience_id = me and p.run_id <> all(open)
            and (p.run_id = any(touched) or p.conversation_id = any(talks) or exists (select from unnest(words) w where position(w in p.body) > 0));
        get diagnostics gone = row_count; counts[15] := gone;
        counts[16] := hearth_erase_details(me, touched, open, words);
        update thread t set label = '' where t.audience_id = me and exists (select from unnest(words) w where position(w in t.label) > 0);
        insert into memory_erasure (audience_id, written) select a, pg_current_xact_id()::text::bigint from unnest(whose) a
            on conflict (audience_id) do update set written = excluded.written;
        delete from fact f where f.id = any(ids);
        get diagnostics gone = row_count; counts[1] := gone;
        counts[17] := cardinality(open);
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select * from unnest(array['facts', 'messages', 'steps', 'runs', 'events', 'trace_bodies', 'inputs', 'approvals', 'responses', 'outbox', 'segments', 'episodes', 'archive_keys', 'collection_items', 'scratchpads', 'trace_details', 'open_runs'], counts);
end $$;

-- Forgets a document and its sections, and of the person's runs in which one of them was recalled what their steps and traces hold, attributes and errors too. → how many of each; none where
-- there is no such document of this person. Unless `really`, nothing changes.
create or replace function hearth_forget_document(wanted uuid, really boolean) returns table (kind text, number bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    me constant uuid := hearth_person();
    whose uuid; ids uuid[]; touched uuid[]; open uuid[];
    counts bigint[] := array_fill(0::bigint, array[7]);
    gone bigint;
begin
    select d.audience_id into whose from document d where d.id = wanted and d.tenant_id = hearth_tenant()
        and (d.audience_id = me or exists (select from membership m where m.group_id = d.audience_id and m.person_id = me));
    if whose is null then return; end if;
    select coalesce(array_agg(s.id), '{}') into ids from section s where s.document_id = wanted;
    select coalesce(array_agg(distinct s.run_id), '{}') into touched from span s where s.audience_id = me and position(wanted::text in s.attributes) > 0;
    select coalesce(array_agg(r.id), '{}') into open from run r where r.id = any(touched) and (r.state is null or r.state in ('waiting_person', 'waiting_client'));
    begin
        update step s set input = '{"forgotten": true}', outcome = case when s.state = 'intent' then s.outcome else '{"forgotten": true}' end where s.run_id = any(touched) and s.run_id <> all(open);
        get diagnostics gone = row_count; counts[3] := gone;
        update run r set turn = '{}', request = null where r.id = any(touched) and r.id <> all(open);
        update run_turn t set turn = '{}' where t.run_id = any(touched) and t.run_id <> all(open);
        delete from run_event e where e.run_id = any(touched) and e.run_id <> all(open);
        get diagnostics gone = row_count; counts[4] := gone;
        delete from span_body b using span s where s.id = b.span_id and s.run_id = any(touched);
        get diagnostics gone = row_count; counts[5] := gone;
        insert into memory_erasure (audience_id, written) values (whose, pg_current_xact_id()::text::bigint)
            on conflict (audience_id) do update set written = excluded.written;
        delete from document d where d.id = wanted;
        counts[1] := 1;
        counts[2] := cardinality(ids);
        counts[6] := hearth_erase_details(me, touched, open, '{}');
        counts[7] := cardinality(open);
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select * from unnest(array['documents', 'sections', 'steps', 'events', 'trace_bodies', 'trace_details', 'open_runs'], counts);
end $$;
