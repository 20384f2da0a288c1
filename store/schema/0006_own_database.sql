-- What hearth_app may know before it has an identity: which migrations the database has, and who
-- and where it is, so that it can run without the owner's password.

grant select on schema_migration to hearth_app;

-- Tenant, owner, and the node of this public key (null when it was never enrolled).
create function hearth_foundation(node_key text)
    returns table (tenant_id uuid, owner_id uuid, node_id uuid)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select t.id, p.id, n.id
          from (select id from tenant order by id limit 1) t
          join lateral (select id from person where role = 'owner' order by id limit 1) p on true
          left join node n on n.public_key = node_key
          order by n.id limit 1 $$;
revoke all on function hearth_foundation(text) from public;
grant execute on function hearth_foundation(text) to hearth_app;
