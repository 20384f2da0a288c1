-- What a message offers to be pressed, and which earlier one it stands in place of.

alter table outbox add column form json;

-- For who carries it: as it was written, and the earlier message by the id that it has there; null where that has none (yet).
create function hearth_outgoing_form(of_id uuid) returns table (form json, there text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select o.form, (select b.told_as from outbox b where b.tenant_id = o.tenant_id and b.audience_id = o.audience_id and b.bridge = o.bridge and b.chat = o.chat
                        and b.emitter = o.form->>'replaces' and b.told_as <> '' order by b.part desc limit 1)
    from outbox o where o.id = of_id and o.tenant_id = hearth_tenant() $$;
revoke all on function hearth_outgoing_form(uuid) from public;
grant execute on function hearth_outgoing_form(uuid) to hearth_app;
