-- What the heartbeat sees, and whether it was said.

create table heartbeat (
    tenant_id uuid primary key default hearth_tenant() references tenant,
    beat_at timestamptz not null
);

create table finding (
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    kind text not null,
    key text not null,               -- which of its kind
    body text not null,
    first_at timestamptz not null default clock_timestamp(),
    told_at timestamptz,             -- null: it was not said yet, or nowhere
    gone_at timestamptz,             -- it is no more
    primary key (tenant_id, audience_id, kind, key)
);

alter table heartbeat enable row level security;
alter table heartbeat force row level security;
create policy owner_all on heartbeat to hearth_owner using (true) with check (true);
alter table finding enable row level security;
alter table finding force row level security;
create policy owner_all on finding to hearth_owner using (true) with check (true);
create policy of_person on finding to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
grant select, insert, delete, update (body, first_at, told_at, gone_at) on finding to hearth_app;

-- Whether it is time for the next beat; of several processes that ask, one is told so.
create function hearth_beat(seconds integer) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into heartbeat (tenant_id, beat_at) values (hearth_tenant(), clock_timestamp())
        on conflict (tenant_id) do update set beat_at = excluded.beat_at
        where heartbeat.beat_at <= clock_timestamp() - make_interval(secs => seconds);
    return found;
end $$;

-- What there is to act on, of everybody, for the owner: that it is, and nothing of what was said.
create function hearth_survey() returns table (kind text, key text, subject text, count bigint)
    language sql stable security definer set search_path = public, pg_temp as $$
    select 'runs_failed', r.alias || ' ' || to_char(r.finished_at at time zone 'UTC', 'YYYY-MM-DD'), r.alias, count(*) from run r
        where hearth_role() = 'owner' and r.tenant_id = hearth_tenant() and r.state in ('failed', 'no_backend') and r.finished_at > clock_timestamp() - interval '1 day' group by 2, 3
    union all
    select 'effect_unknown', r.id::text, r.id::text, 1 from run r
        where hearth_role() = 'owner' and r.tenant_id = hearth_tenant() and r.state = 'unknown_effect' and r.finished_at > clock_timestamp() - interval '7 days'
    union all
    select 'word_wanted', a.id::text, a.tool, 1 from approval a
        where a.tenant_id = hearth_tenant() and a.audience_id = hearth_person() and a.decision is null and a.expires_at > clock_timestamp() and a.asked_at < clock_timestamp() - interval '30 minutes'
    union all
    select 'not_delivered', o.bridge || ' ' || to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD'), o.bridge, count(*) from outbox o
        where hearth_role() = 'owner' and o.tenant_id = hearth_tenant() and o.state in ('failed', 'unknown') and (o.attempts > 0 or o.expires_at <= clock_timestamp())
            and o.created_at > clock_timestamp() - interval '1 day' group by 2, 3
    union all
    select 'not_done', f.schedule_id::text || ' ' || to_char(f.instant at time zone 'UTC', 'YYYY-MM-DD'), f.state, count(*) from schedule_fire f
        where hearth_role() = 'owner' and f.tenant_id = hearth_tenant() and f.state in ('skipped', 'refused') and f.created_at > clock_timestamp() - interval '1 day' group by 2, 3 $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_beat(integer)', 'hearth_survey()'] loop
        execute format('revoke all on function %s from public', f);
        execute format('grant execute on function %s to hearth_app', f);
    end loop;
end $$;
