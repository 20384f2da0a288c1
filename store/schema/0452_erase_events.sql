-- What runs have told goes by age as the bodies of their spans do.

-- Of runs with an id before that one (ids begin with their time) which have ended; the oldest first, and at most so many rows.
create function hearth_erase_events(before uuid, most integer) returns bigint
    language sql volatile security definer set search_path = public, pg_temp
    as $$ with chosen as (select e.run_id, e.epoch, e.last from run_event e join run r on r.id = e.run_id
                              where e.run_id < before and r.finished_at is not null and r.state <> 'waiting_person'
                              order by e.run_id, e.epoch, e.last limit most),
               erased as (delete from run_event e using chosen c where e.run_id = c.run_id and e.epoch = c.epoch and e.last = c.last returning 1)
          select count(*) from erased $$;
revoke all on function hearth_erase_events(uuid, integer) from public;
grant execute on function hearth_erase_events(uuid, integer) to hearth_app;
