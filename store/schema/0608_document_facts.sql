-- Facts that a model has read out of documents. Each tells the section that it is from; each section is read once. They are no word of the person's: they count with what he has said,
-- and give way to it.

alter table section add column read_at timestamptz;  -- for facts; null: it is still to be read
create index section_unread on section (audience_id, document_id, position) where read_at is null;
grant update (read_at) on section to hearth_app;
alter table fact_sighting add column section_id uuid references section on delete cascade;
create index fact_sighting_section on fact_sighting (section_id) where section_id is not null;

drop function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz, uuid);

-- As before (0587); what was read out of a section holds since the document came in, and is over already where the person has ever said something about the same.
create function hearth_remember(new_id uuid, whose uuid, said text, of_run uuid, by_call text, quoted text, own_word boolean, about text, instead_of text, since timestamptz, of_segment uuid, of_section uuid) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
declare
    kept uuid;
    newer_id uuid;
    newer_from timestamptz;
    plain constant text := nullif(hearth_plain_text(about), '');
    old_digest constant text := hearth_text_digest(nullif(instead_of, ''));
    read_from constant timestamptz := coalesce((select g.said_at from segment g where g.id = of_segment), (select d.added_at from section s join document d on d.id = s.document_id where s.id = of_section));
    noting constant boolean := of_segment is not null or of_section is not null;
begin
    -- Two that replace the same wait for each other: neither sees what the other has not committed.
    if plain is not null then perform pg_advisory_xact_lock(hashtextextended('fact ' || whose || ' ' || plain, 0)); end if;
    select f.id, greatest(f.valid_from, coalesce(since, read_from)) into newer_id, newer_from from fact f
        where f.audience_id = whose and f.subject = plain and f.valid_to is null and f.digest <> hearth_text_digest(said)
            and ((f.valid_from > read_from and (f.trusted or not own_word)) or (of_section is not null and f.trusted))
        order by f.trusted desc, f.valid_from limit 1;
    insert into fact (id, audience_id, body, source_run_id, trusted, subject, valid_from, created_at, last_seen, noted, valid_to, superseded_by)
        values (new_id, whose, said, of_run, own_word, plain, coalesce(since, read_from, now()), coalesce(read_from, now()), coalesce(read_from, now()), noting, newer_from, newer_id)
        on conflict (audience_id, digest) where valid_to is null
        do update set seen = fact.seen + 1, last_seen = greatest(fact.last_seen, coalesce(read_from, clock_timestamp())), trusted = fact.trusted or excluded.trusted,
            subject = coalesce(fact.subject, excluded.subject), noted = fact.noted and excluded.noted
        returning id into kept;
    insert into fact_sighting (id, audience_id, fact_id, run_id, call, quote, trusted, seen_at, segment_id, section_id)
        values (new_id, whose, kept, of_run, by_call, quoted, own_word, coalesce(read_from, clock_timestamp()), of_segment, of_section);
    update fact set valid_to = greatest(valid_from, coalesce(since, read_from, now())), superseded_by = kept, written = pg_current_xact_id()::text::bigint
        where audience_id = whose and valid_to is null and id <> kept and newer_id is null and (subject = plain or digest = old_digest) and (own_word or not trusted)
            and (read_from is null or valid_from <= read_from);
    return kept;
end $$;

-- Forgets a document (hearth_forget_document), and the facts that were read out of it alone (hearth_forget).
create function hearth_forget_document_and_facts(wanted uuid, really boolean, shortest integer) returns table (kind text, number bigint)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    facts uuid[]; kinds text[]; numbers bigint[]; more_kinds text[]; more bigint[];
begin
    select array_agg(f.id) into facts from fact f where f.audience_id = hearth_person() and f.noted
        and exists (select from fact_sighting s join section n on n.id = s.section_id where s.fact_id = f.id and n.document_id = wanted)
        and not exists (select from fact_sighting s left join section n on n.id = s.section_id where s.fact_id = f.id and n.document_id is distinct from wanted);
    begin
        select array_agg(f.kind), array_agg(f.number) into kinds, numbers from hearth_forget(facts, true, shortest) f;
        select array_agg(d.kind), array_agg(d.number) into more_kinds, more from hearth_forget_document(wanted, true) d;
        if not really then raise exception 'nothing is forgotten' using errcode = 'HS003'; end if;
    exception when sqlstate 'HS003' then null;
    end;
    if more_kinds is null then return; end if;
    return query select o.kind, case o.kind when 'open_runs' then max(o.number) else sum(o.number)::bigint end
        from (select * from unnest(more_kinds, more) union all select * from unnest(kinds, numbers)) o (kind, number) group by o.kind;
end $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz, uuid, uuid)', 'hearth_forget_document_and_facts(uuid, boolean, integer)'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
