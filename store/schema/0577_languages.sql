-- In which language a person is told what no model has written: as he wants it, else as his channel says of him.

alter table person add column language text not null default 'auto' check (language in ('auto', 'en', 'fr', 'de', 'es', 'it'));
grant update (language) on person to hearth_app;
alter table channel_identity add column language text not null default '';  -- as the channel says, such as "fr-CA"
alter table pairing add column language text not null default '';
grant update (language) on channel_identity, pairing to hearth_app;

-- Of oneself, and to the owner of anybody; empty: nobody has said.
create function hearth_spoken_language(of_person uuid, of_bridge text) returns text
    language sql stable security definer set search_path = public, pg_temp as $$
    select case p.language when 'auto' then coalesce((select c.language from channel_identity c where c.tenant_id = p.tenant_id and c.person_id = p.id and c.bridge = of_bridge and c.language <> ''
                                                      order by c.added_at desc limit 1), '') else p.language end
    from person p where p.id = of_person and p.tenant_id = hearth_tenant() and (p.id = hearth_person() or hearth_role() = 'owner') $$;
revoke all on function hearth_spoken_language(uuid, text) from public;
grant execute on function hearth_spoken_language(uuid, text) to hearth_app;
