-- One's own runs of a span of time, summed up by day (UTC), and their calls by tool. Neither index holds a column that changes, so that a run that goes on writes no
-- entry here. Who asks is read once and not, as by the policies, for each of a hundred thousand rows; doubles and days sort several times as fast as numerics and texts.
create index run_times on run (audience_id, started_at);
create index step_tool_times on step (audience_id, started_at) where kind = 'tool';

create function hearth_tool_sums(since timestamptz, until timestamptz)
    returns table (tool text, calls bigint, runs bigint, failures bigint, p50_ms double precision, p95_ms double precision)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select s.name, count(*), count(distinct s.run_id), count(*) filter (where s.state in ('failed', 'unknown')),
                 percentile_cont(0.5) within group (order by s.took) filter (where s.took is not null), percentile_cont(0.95) within group (order by s.took) filter (where s.took is not null)
          from (select name, run_id, state, date_part('epoch', finished_at - started_at) * 1000 as took from step
                where kind = 'tool' and tenant_id = (select hearth_tenant()) and audience_id = (select hearth_person()) and started_at >= since and started_at < until) s
          group by s.name order by 2 desc, 1 limit 200 $$;

-- `tool` empty: of all of them, else of those that called it.
create function hearth_run_days(since timestamptz, until timestamptz, tool text)
    returns table (day text, count bigint, runs bigint, failures bigint, p50_ms double precision, p95_ms double precision)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select to_char(r.day, 'YYYY-MM-DD'), count(*), count(*), count(*) filter (where r.state in ('failed', 'no_backend', 'unknown_effect')),
                 percentile_cont(0.5) within group (order by r.took) filter (where r.took is not null), percentile_cont(0.95) within group (order by r.took) filter (where r.took is not null)
          from (select (started_at at time zone 'UTC')::date as day, state, date_part('epoch', finished_at - started_at) * 1000 as took from run
                where tenant_id = (select hearth_tenant()) and audience_id = (select hearth_person()) and started_at >= since and started_at < until
                  and (tool = '' or id in (select s.run_id from step s where s.kind = 'tool' and s.audience_id = (select hearth_person()) and s.name = tool))) r
          group by r.day order by r.day $$;

do $$
declare f text;
begin
    foreach f in array array['hearth_tool_sums(timestamptz, timestamptz)', 'hearth_run_days(timestamptz, timestamptz, text)'] loop
        execute 'revoke all on function ' || f || ' from public';
        execute 'grant execute on function ' || f || ' to hearth_app';
    end loop;
end $$;
