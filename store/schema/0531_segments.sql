-- What was said, as it is found again: each message of a person with what answered it. It is written with the answer; the messages themselves stay.
-- Later some in a row become an episode, with a summary by a model.

create table episode (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    conversation_id uuid not null references conversation,
    first_position integer not null,
    last_position integer not null,
    summary text not null,
    keywords text not null,
    model text not null,         -- that wrote it
    trusted boolean not null,    -- all its segments are
    began_at timestamptz not null,
    ended_at timestamptz not null,
    written bigint not null default pg_current_xact_id()::text::bigint,
    unique (conversation_id, first_position),
    check (first_position <= last_position)
);
create index episode_place on episode (audience_id, written, id);

create table segment (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    conversation_id uuid not null references conversation,
    run_id uuid,                 -- that answered; null: retold by a client
    first_position integer not null,
    last_position integer not null,
    asked text not null,
    answered text not null,
    trusted boolean not null,    -- no text from outside was in the conversation by then
    said_at timestamptz not null,
    episode_id uuid references episode on delete set null,
    written bigint not null default pg_current_xact_id()::text::bigint,
    unique (conversation_id, first_position),
    check (first_position <= last_position)
);
create index segment_open on segment (audience_id, conversation_id, first_position) where episode_id is null;
create index segment_episode on segment (episode_id) where episode_id is not null;
create index segment_place on segment (audience_id, written, id);

do $$
declare
    t text;
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    foreach t in array array['episode', 'segment'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_audience on %I to hearth_app using (%s) with check (%s)', t, visible, visible);
    end loop;
end $$;
grant select, insert on episode, segment to hearth_app;
grant update (episode_id) on segment to hearth_app;
