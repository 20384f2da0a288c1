-- What was answered under /v1/responses, for later requests that go on from it: of a bare model all that there is of it, of an agent
-- beside its run. A response whose predecessor was removed stays; the chain ends there.

create table response (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    node_id uuid default hearth_node(),
    previous_id uuid,
    run_id uuid references run,
    conversation_id uuid references conversation,
    input text not null,  -- its own items, a JSON array; text, since jsonb would reorder their keys
    body text not null,   -- as it was answered
    created_at timestamptz not null default clock_timestamp(),
    check ((run_id is null) = (conversation_id is null))
);
create index response_age on response (created_at);

alter table response enable row level security;
alter table response force row level security;
create policy owner_all on response to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on response to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select, insert, delete, update (body) on response to hearth_app;

-- Of everybody, the oldest first.
create function hearth_erase_responses(before timestamptz, most integer) returns bigint
    language sql volatile security definer set search_path = public, pg_temp
    as $$ with chosen as (select id from response where created_at < before order by created_at limit most),
               erased as (delete from response r using chosen c where r.id = c.id returning 1)
          select count(*) from erased $$;
revoke all on function hearth_erase_responses(timestamptz, integer) from public;
grant execute on function hearth_erase_responses(timestamptz, integer) to hearth_app;
