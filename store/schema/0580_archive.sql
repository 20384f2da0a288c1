-- The archive: what was said, and its summaries, also lie as files in a repository of each person's, sealed by a key of their conversation that lies here. History in a repository cannot
-- forget: without its key it says nothing.

create table archive_key (
    conversation_id uuid not null references conversation,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    key text not null,
    made_at timestamptz not null default clock_timestamp(),
    primary key (conversation_id, audience_id)
);
alter table archive_key enable row level security;
alter table archive_key force row level security;
create policy owner_all on archive_key to hearth_owner using (true) with check (true);
create policy of_person on archive_key to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
grant select, insert on archive_key to hearth_app;

alter table segment add column archived boolean not null default false;
alter table episode add column archived boolean not null default false;
create index segment_unarchived on segment (audience_id, id) where not archived;
create index episode_unarchived on episode (audience_id, id) where not archived;
grant update (archived) on segment, episode to hearth_app;
