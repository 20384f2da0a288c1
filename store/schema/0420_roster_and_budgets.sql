-- What a call cost and for whom it was made; and what of a day's budgets is spent, shared by all processes.

alter table model_usage
    add column agent text not null default '',
    add column conversation_id uuid,
    add column cost double precision not null default 0;

create table spending (
    tenant_id uuid not null default hearth_tenant() references tenant,
    day integer not null,   -- since 1970, UTC
    subject text not null,  -- of a budget: "alias default", "person 0190…"
    tokens bigint not null default 0,
    cost double precision not null default 0,
    primary key (tenant_id, day, subject)
);
create policy of_tenant on spending to hearth_app
    using (tenant_id = hearth_tenant() and hearth_person() is not null)
    with check (tenant_id = hearth_tenant() and hearth_person() is not null);
alter table spending enable row level security;
alter table spending force row level security;
create policy owner_all on spending to hearth_owner using (true) with check (true);
grant select, insert, update on spending to hearth_app;

-- Sums of everybody in the tenant, without what was said: what an operator may see.
create function hearth_usage_by_person(since timestamptz)
    returns table (person_id uuid, calls bigint, failures bigint, prompt_tokens bigint, cached_tokens bigint, output_tokens bigint, cost double precision)
    language sql stable security definer set search_path = public
    as $$ select u.audience_id, count(*), count(*) filter (where u.error <> ''), sum(u.prompt_tokens), sum(u.cached_tokens), sum(u.output_tokens), sum(u.cost)
          from model_usage u where u.tenant_id = hearth_tenant() and hearth_person() is not null and u.started_at >= since
          group by u.audience_id order by u.audience_id $$;
revoke all on function hearth_usage_by_person(timestamptz) from public;
grant execute on function hearth_usage_by_person(timestamptz) to hearth_app;
