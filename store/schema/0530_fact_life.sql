-- How a fact lives: what is observed again is counted, what is newer about the same closes what it replaces, and each observation tells
-- where it was made. Of a fact that is over (valid_to) there may be another with the same words.

-- A text as it is compared: case, spaces and what it ends with make no difference.
create function hearth_plain_text(said text) returns text
    language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
    as $$ select btrim(regexp_replace(lower(normalize(said, NFKC)), '[[:space:]]+', ' ', 'g'), ' .!') $$;
create function hearth_text_digest(said text) returns text
    language sql immutable strict parallel safe set search_path = public, pg_temp
    as $$ select encode(sha256(convert_to(hearth_plain_text(said), 'UTF8')), 'hex') $$;

alter table fact
    add column subject text,      -- what of whom it tells, plain; null: nothing that another one would replace
    add column seen integer not null default 1,
    add column last_seen timestamptz not null default now(),
    add column valid_from timestamptz not null default now(),
    add column valid_to timestamptz,  -- null: it holds
    add column superseded_by uuid references fact on delete set null,
    add column digest text generated always as (hearth_text_digest(body)) stored;

create table fact_sighting (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    fact_id uuid not null references fact on delete cascade,
    run_id uuid,                       -- null: in none
    call text not null default '',     -- the id of the tool call
    quote text not null default '',    -- from what was said then
    trusted boolean not null,
    seen_at timestamptz not null default clock_timestamp()
);
create index fact_sighting_fact on fact_sighting (fact_id, seen_at);
create index fact_sighting_run on fact_sighting (run_id);

-- Those that are there: of equals the first stays, with what the others say of where they are from.
update fact set last_seen = created_at, valid_from = created_at;
insert into fact_sighting (id, tenant_id, audience_id, fact_id, run_id, trusted, seen_at)
    select id, tenant_id, audience_id, first_value(id) over (partition by audience_id, digest order by created_at, id), source_run_id, trusted, created_at from fact;
update fact f set seen = s.times, last_seen = s.last, trusted = s.trusted
    from (select fact_id, count(*) as times, max(seen_at) as last, bool_or(trusted) as trusted from fact_sighting group by fact_id) s where s.fact_id = f.id;
delete from fact f where not exists (select from fact_sighting s where s.fact_id = f.id);

create unique index fact_once on fact (audience_id, digest) where valid_to is null;
create index fact_subject on fact (audience_id, subject) where valid_to is null and subject is not null;
create index fact_superseded on fact (superseded_by) where superseded_by is not null;

alter table fact_sighting enable row level security;
alter table fact_sighting force row level security;
create policy owner_all on fact_sighting to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on fact_sighting to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select, insert on fact_sighting to hearth_app;
grant update (seen, last_seen, trusted, subject, valid_to, superseded_by, written) on fact to hearth_app;

-- One observation. What came from outside closes nothing that the person has said himself. → the fact's id, which is `new_id` unless
-- the same holds already.
create function hearth_remember(new_id uuid, whose uuid, said text, of_run uuid, by_call text, quoted text, own_word boolean, about text, instead_of text, since timestamptz) returns uuid
    language plpgsql set search_path = public, pg_temp as $$
declare
    kept uuid;
    plain constant text := nullif(hearth_plain_text(about), '');
    old_digest constant text := hearth_text_digest(nullif(instead_of, ''));
begin
    -- Two that replace the same wait for each other: neither sees what the other has not committed.
    if plain is not null then perform pg_advisory_xact_lock(hashtextextended('fact ' || whose || ' ' || plain, 0)); end if;
    insert into fact (id, audience_id, body, source_run_id, trusted, subject, valid_from)
        values (new_id, whose, said, of_run, own_word, plain, coalesce(since, now()))
        on conflict (audience_id, digest) where valid_to is null
        do update set seen = fact.seen + 1, last_seen = clock_timestamp(), trusted = fact.trusted or excluded.trusted, subject = coalesce(fact.subject, excluded.subject)
        returning id into kept;
    insert into fact_sighting (id, audience_id, fact_id, run_id, call, quote, trusted) values (new_id, whose, kept, of_run, by_call, quoted, own_word);
    update fact set valid_to = greatest(valid_from, coalesce(since, now())), superseded_by = kept, written = pg_current_xact_id()::text::bigint
        where audience_id = whose and valid_to is null and id <> kept and (subject = plain or digest = old_digest) and (own_word or not trusted);
    return kept;
end $$;
revoke all on function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz) from public;
grant execute on function hearth_remember(uuid, uuid, text, uuid, text, text, boolean, text, text, timestamptz) to hearth_app;
