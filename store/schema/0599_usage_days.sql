-- Calls of models by day (UTC), with how long they took: of one's own, or of everybody in the tenant without what was said, which an operator may see.
create function hearth_usage_days(since timestamptz, everybody boolean)
    returns table (day text, calls bigint, failures bigint, prompt_tokens bigint, cached_tokens bigint, output_tokens bigint, cost double precision,
                   p50_us double precision, p95_us double precision, output_per_second double precision)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select to_char(u.started_at at time zone 'UTC', 'YYYY-MM-DD'), count(*), count(*) filter (where u.error <> ''), sum(u.prompt_tokens), sum(u.cached_tokens), sum(u.output_tokens), sum(u.cost),
                 percentile_cont(0.5) within group (order by u.duration_us) filter (where u.error = ''), percentile_cont(0.95) within group (order by u.duration_us) filter (where u.error = ''),
                 sum(u.output_tokens) filter (where u.decode_us > 0) * 1e6 / nullif(sum(u.decode_us), 0)
          from model_usage u where u.tenant_id = hearth_tenant() and hearth_person() is not null and (everybody or u.audience_id = hearth_person()) and u.started_at >= since
          group by 1 order by 1 $$;
revoke all on function hearth_usage_days(timestamptz, boolean) from public;
grant execute on function hearth_usage_days(timestamptz, boolean) to hearth_app;
