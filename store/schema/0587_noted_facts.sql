-- Facts that a model has read out of what a person said, at night. Each tells the segment that it is from; each segment is read once.

alter table segment add column read_at timestamptz;  -- for facts; null: it is still to be read
create index segment_unread on segment (audience_id, conversation_id, first_position) where read_at is null;
grant update (read_at) on segment to hearth_app;

alter table fact add column noted boolean not null default false;  -- by such a reading alone: the person did not ask for it to be kept
grant update (noted) on fact to hearth_app;
alter table fact_sighting add column segment_id uuid references segment on delete cascade;  -- null: it was told to be kept
create index fact_sighting_segment on fact_sighting (segment_id) where segment_id is not null;

drop function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz);

-- One observation. What came from outside closes nothing that the person has said himself; what was read out of a segment holds since that was said, and
-- closes nothing that has been told since: where that is about the same, it is over already. → the fact's id, which is `new_id` unless the same holds already.
create function hearth_remember(new_id uuid, whose uuid, said text, of_run uuid, by_call text, quoted text, own_word boolean, about text, instead_of text, since timestamptz, of_segment uuid) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
declare
    kept uuid;
    newer_id uuid;
    newer_from timestamptz;
    plain constant text := nullif(hearth_plain_text(about), '');
    old_digest constant text := hearth_text_digest(nullif(instead_of, ''));
    read_from constant timestamptz := (select g.said_at from segment g where g.id = of_segment);
begin
    -- Two that replace the same wait for each other: neither sees what the other has not committed.
    if plain is not null then perform pg_advisory_xact_lock(hashtextextended('fact ' || whose || ' ' || plain, 0)); end if;
    select f.id, f.valid_from into newer_id, newer_from from fact f
        where f.audience_id = whose and f.subject = plain and f.valid_to is null and f.valid_from > read_from and f.digest <> hearth_text_digest(said) and (f.trusted or not own_word)
        order by f.valid_from limit 1;
    insert into fact (id, audience_id, body, source_run_id, trusted, subject, valid_from, created_at, last_seen, noted, valid_to, superseded_by)
        values (new_id, whose, said, of_run, own_word, plain, coalesce(since, read_from, now()), coalesce(read_from, now()), coalesce(read_from, now()), of_segment is not null, newer_from, newer_id)
        on conflict (audience_id, digest) where valid_to is null
        do update set seen = fact.seen + 1, last_seen = greatest(fact.last_seen, coalesce(read_from, clock_timestamp())), trusted = fact.trusted or excluded.trusted,
            subject = coalesce(fact.subject, excluded.subject), noted = fact.noted and excluded.noted
        returning id into kept;
    insert into fact_sighting (id, audience_id, fact_id, run_id, call, quote, trusted, seen_at, segment_id)
        values (new_id, whose, kept, of_run, by_call, quoted, own_word, coalesce(read_from, clock_timestamp()), of_segment);
    update fact set valid_to = greatest(valid_from, coalesce(since, read_from, now())), superseded_by = kept, written = pg_current_xact_id()::text::bigint
        where audience_id = whose and valid_to is null and id <> kept and newer_id is null and (subject = plain or digest = old_digest) and (own_word or not trusted)
            and (read_from is null or valid_from <= read_from);
    return kept;
end $$;
revoke all on function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz, uuid) from public;
grant execute on function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz, uuid) to hearth_app;

-- Of the facts that were read out of segments alone those that lose all of them where `wanted` is forgotten (hearth_forget): they are forgotten with it.
create function hearth_noted_with(wanted uuid[], shortest integer) returns setof uuid
    language sql stable set search_path = public, pg_temp as $$
    with sought as (select f.id, f.body from fact f where f.id = any(wanted) or exists (select from fact_sighting s where s.fact_id = f.id and s.id = any(wanted))),
        going as (select g.id from segment g where g.audience_id = hearth_person()
            and (g.run_id in (select s.run_id from fact_sighting s join sought on sought.id = s.fact_id)
                or exists (select from sought where length(sought.body) >= shortest and position(sought.body in g.asked || g.answered) > 0)))
    select f.id from fact f where f.audience_id = hearth_person() and f.noted and exists (select from fact_sighting s where s.fact_id = f.id and s.segment_id in (select id from going))
        and not exists (select from fact_sighting s where s.fact_id = f.id and (s.segment_id is null or s.segment_id not in (select id from going)))
$$;
revoke all on function hearth_noted_with(uuid[], integer) from public;
grant execute on function hearth_noted_with(uuid[], integer) to hearth_app;
