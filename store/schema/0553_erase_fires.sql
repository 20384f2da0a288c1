-- That a schedule came due is forgotten by age, as what its run said is.

create function hearth_erase_fires(before_us bigint, most integer) returns bigint
    language sql volatile security definer set search_path = public, pg_temp
    as $$ with chosen as (select f.schedule_id, f.instant from schedule_fire f where f.ended_at < to_timestamp(before_us / 1000000.0) order by f.ended_at limit most),
               erased as (delete from schedule_fire f using chosen c where f.schedule_id = c.schedule_id and f.instant = c.instant returning 1)
          select count(*) from erased $$;
revoke all on function hearth_erase_fires(bigint, integer) from public;
grant execute on function hearth_erase_fires(bigint, integer) to hearth_app;
create index schedule_fire_age on schedule_fire (ended_at);
