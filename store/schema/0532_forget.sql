-- Forgetting: facts, and all that holds them.

-- When something was last erased from what an audience remembers: whoever keeps an index of it makes that anew. It holds the number of the
-- transaction alone.
create table memory_erasure (
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null primary key,
    written bigint not null
);
alter table memory_erasure enable row level security;
alter table memory_erasure force row level security;
create policy owner_all on memory_erasure to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on memory_erasure to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select on memory_erasure to hearth_app;

-- A message without what it said: who, which calls and to which call it answers stay, so that the conversation still reads as one. Of one with \u0000 in
-- it, which no function takes apart, who alone.
create function hearth_blank_message(who text, body text) returns text language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    said json;
begin
    said := body::json;
    return json_strip_nulls(json_build_object('role', who, 'content', '[forgotten]', 'tool_call_id', said ->> 'tool_call_id', 'tool_calls',
        (select json_agg(json_build_object('id', c ->> 'id', 'type', 'function', 'function', json_build_object('name', c -> 'function' ->> 'name', 'arguments', '{}')))
         from json_array_elements(case json_typeof(said -> 'tool_calls') when 'array' then said -> 'tool_calls' end) c)))::text;
exception when data_exception then
    return json_build_object('role', who, 'content', '[forgotten]')::text;
end $$;

-- Forgets facts that the person may see, and reports how much went: of each kind of row how many, and how many facts. Blank is made
--   of the runs in which they were told: all messages, segments and the episodes that they are of, steps, working states, events, trace bodies, what was added, and what left for the person;
--   of the runs in which they were recalled: steps, working states, events and trace bodies;
--   of the person's other rows: those that hold a fact's words, where these are at least `shortest` characters.
-- Runs that have not ended are left, and counted as open_runs. Spans stay with their digests. Unless `really`, nothing changes.
create function hearth_forget(wanted uuid[], really boolean, shortest integer) returns table (kind text, number bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    me constant uuid := hearth_person();
    ids uuid[]; whose uuid[]; words text[]; told uuid[]; recalled uuid[]; touched uuid[]; open uuid[]; told_in uuid[];
    counts bigint[] := array_fill(0::bigint, array[13]);
    gone bigint;
begin
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
    select coalesce(array_agg(distinct s.run_id) filter (where s.run_id is not null), '{}') into told from fact_sighting s join run r on r.id = s.run_id
        where s.fact_id = any(ids) and r.audience_id = me;
    select coalesce(array_agg(distinct s.run_id), '{}') into recalled from span s where s.audience_id = me
        and exists (select from unnest(ids) i where position(i::text in s.attributes) > 0);
    touched := told || recalled;
    select coalesce(array_agg(r.id), '{}') into open from run r where r.audience_id = me and (r.state is null or r.state in ('waiting_person', 'waiting_client'))
        and (r.id = any(touched) or exists (select from unnest(words) w where position(w in r.turn::text) > 0));
    begin
        update message m set body = hearth_blank_message(m.role, m.body) where m.audience_id = me and (m.run_id is null or m.run_id <> all(open))
            and (m.run_id = any(told) or exists (select from unnest(words) w where position(w in m.body) > 0));
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
            and (i.run_id = any(told) or exists (select from unnest(words) w where position(w in i.body) > 0));
        get diagnostics gone = row_count; counts[7] := gone;
        update approval a set arguments = '{}' where a.audience_id = me and a.run_id <> all(open)
            and (a.run_id = any(touched) or exists (select from unnest(words) w where position(w in a.arguments::text) > 0));
        get diagnostics gone = row_count; counts[8] := gone;
        delete from response p where p.audience_id = me
            and (p.run_id = any(told) or exists (select from unnest(words) w where position(w in p.input || p.body) > 0));
        get diagnostics gone = row_count; counts[9] := gone;
        -- What waits to leave does not leave any more; what is leaving now has left.
        update outbox o set content = '[forgotten]', error = case o.state when 'queued' then 'forgotten' else o.error end, state = case o.state when 'queued' then 'failed' else o.state end,
                changed_at = case o.state when 'queued' then clock_timestamp() else o.changed_at end
            where o.audience_id = me and (o.emitter = any(select 'run:' || t from unnest(told) t) or exists (select from unnest(words) w where position(w in o.content) > 0));
        get diagnostics gone = row_count; counts[10] := gone;
        select coalesce(array_agg(distinct g.episode_id), '{}') into told_in from segment g where g.audience_id = me and g.episode_id is not null
            and (g.run_id = any(told) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
        delete from segment g where g.audience_id = me
            and (g.run_id = any(told) or exists (select from unnest(words) w where position(w in g.asked || g.answered) > 0));
        get diagnostics gone = row_count; counts[11] := gone;
        -- A summary says it in words of its own; of the segments that stay another one is made.
        delete from episode e where e.audience_id = me and e.id = any(told_in);
        get diagnostics gone = row_count; counts[12] := gone;
        update thread t set label = '' where t.audience_id = me and exists (select from unnest(words) w where position(w in t.label) > 0);
        insert into memory_erasure (audience_id, written) select a, pg_current_xact_id()::text::bigint from unnest(whose) a
            on conflict (audience_id) do update set written = excluded.written;
        delete from fact f where f.id = any(ids);
        get diagnostics gone = row_count; counts[1] := gone;
        counts[13] := cardinality(open);
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select * from unnest(array['facts', 'messages', 'steps', 'runs', 'events', 'trace_bodies', 'inputs', 'approvals', 'responses', 'outbox', 'segments', 'episodes', 'open_runs'], counts);
end $$;
revoke all on function hearth_forget(uuid[], boolean, integer), hearth_blank_message(text, text) from public;
grant execute on function hearth_forget(uuid[], boolean, integer) to hearth_app;
