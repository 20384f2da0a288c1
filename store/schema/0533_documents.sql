-- Documents, and the sections by which they are found again. A document is kept whole until a job has made all its sections.

create table document (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    name text not null,
    digest text not null,        -- SHA-256 of its text
    bytes bigint not null,
    body text not null,          -- '' once its sections are made
    sections integer,            -- how many; null: they are not made yet
    added_at timestamptz not null default clock_timestamp(),
    unique (audience_id, digest),
    check ((sections is null) or body = '')
);
create index document_open on document (tenant_id, audience_id, id) where sections is null;

create table section (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    document_id uuid not null references document on delete cascade,
    position integer not null,
    heading text not null,
    body text not null,
    written bigint not null default pg_current_xact_id()::text::bigint,
    unique (document_id, position)
);
create index section_place on section (audience_id, written, id);

do $$
declare
    t text;
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    foreach t in array array['document', 'section'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_audience on %I to hearth_app using (%s) with check (%s)', t, visible, visible);
    end loop;
end $$;
grant select, insert on document, section to hearth_app;
grant update (body, sections) on document to hearth_app;

-- Forgets a document and its sections, and of the person's runs in which one of them was recalled what their steps and traces hold. → how many of each; none where
-- there is no such document of this person. Unless `really`, nothing changes.
create function hearth_forget_document(wanted uuid, really boolean) returns table (kind text, number bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    me constant uuid := hearth_person();
    whose uuid; ids uuid[]; touched uuid[]; open uuid[];
    counts bigint[] := array_fill(0::bigint, array[6]);
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
        counts[6] := cardinality(open);
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    return query select * from unnest(array['documents', 'sections', 'steps', 'events', 'trace_bodies', 'open_runs'], counts);
end $$;
revoke all on function hearth_forget_document(uuid, boolean) from public;
grant execute on function hearth_forget_document(uuid, boolean) to hearth_app;
