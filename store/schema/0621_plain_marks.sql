-- Telephones write other apostrophes, quotes and dashes than keyboards do: the same words with either are the same observation, about the same.
create or replace function hearth_plain_text(said text) returns text
    language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
    as $$ select btrim(regexp_replace(translate(lower(normalize(said, NFKC)), '‘’‛ʼ′“”„‟«»‐–—−', '''''''''''""""""----'), '[[:space:]]+', ' ', 'g'), ' .!') $$;

-- Those that are there: of equals that hold the first stays, with what the others say of where they are from.
create table same_fact as
    select id, first_id from (
        select f.id, first_value(f.id) over (partition by f.audience_id, hearth_text_digest(f.body) order by f.created_at, f.id) as first_id from fact f where f.valid_to is null) each_one
    where id <> first_id;
update fact_sighting s set fact_id = d.first_id from same_fact d where s.fact_id = d.id;
update fact f set superseded_by = d.first_id from same_fact d where f.superseded_by = d.id;
update fact f set seen = f.seen + d.seen, last_seen = greatest(f.last_seen, d.last_seen), trusted = f.trusted or d.trusted, noted = f.noted and d.noted, subject = coalesce(f.subject, d.subject)
    from (select s.first_id, sum(o.seen)::integer as seen, max(o.last_seen) as last_seen, bool_or(o.trusted) as trusted, bool_and(o.noted) as noted, min(o.subject) as subject
          from same_fact s join fact o on o.id = s.id group by s.first_id) d
    where f.id = d.first_id;
delete from fact where id in (select id from same_fact);
drop table same_fact;
update fact set body = body, subject = hearth_plain_text(subject) where digest <> hearth_text_digest(body) or subject <> hearth_plain_text(subject);
