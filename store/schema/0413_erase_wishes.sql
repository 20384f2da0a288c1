-- What a person wanted of agents, in his own words, goes by age from what runs were begun with, as the bodies of their spans do.

-- Whether a run's request may hold such words. PostgreSQL reads no member of JSON with \u0000 in it.
create function hearth_has_wishes(request json) returns boolean language sql immutable
    as $$ select case when request is null then false
                      when position('\u0000' in request::text) > 0 then true
                      else coalesce(request #>> '{standing,tone}', '') <> '' or coalesce(request #>> '{standing,own}', '[]') <> '[]' end $$;
create index run_wishes on run (id) where hearth_has_wishes(request);

-- Of runs with an id before that one (ids begin with their time) which have ended; the oldest first, and at most so many.
create function hearth_erase_wishes(before uuid, most integer) returns bigint
    language sql volatile security definer set search_path = public, pg_temp
    as $$ with chosen as (select r.id from run r
                              where r.id < before and r.finished_at is not null and r.state <> 'waiting_person' and hearth_has_wishes(r.request)
                              order by r.id limit most),
               erased as (update run r set request = case when position('\u0000' in r.request::text) > 0 then null
                                                          else jsonb_set(jsonb_set(r.request::jsonb, '{standing,tone}', '""'), '{standing,own}', '[]')::json end
                              from chosen c where r.id = c.id returning 1)
          select count(*) from erased $$;
revoke all on function hearth_erase_wishes(uuid, integer) from public;
grant execute on function hearth_erase_wishes(uuid, integer) to hearth_app;
