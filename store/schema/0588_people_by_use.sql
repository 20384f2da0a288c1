-- Who has asked something, the last first: in that order what people remember is indexed when a server starts. Ids alone.
create function hearth_people_by_use() returns setof uuid
    language sql stable security definer set search_path = public, pg_temp as $$
    select p.id from person p cross join lateral (select r.id from run r where r.tenant_id = p.tenant_id and r.audience_id = p.id order by r.id desc limit 1) last
        where p.tenant_id = hearth_tenant() order by last.id desc
$$;
revoke all on function hearth_people_by_use() from public;
grant execute on function hearth_people_by_use() to hearth_app;
