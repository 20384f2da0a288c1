-- How a person is answered: `replies` plain leaves out formulas, tables, code and the like; `effort` is the least class of a
-- turn, whatever admission says.

alter table person add column replies text not null default 'full' check (replies in ('full', 'plain'));
alter table person add column effort text not null default 'auto' check (effort in ('auto', 'normal', 'heavy'));
grant update (replies, effort) on person to hearth_app;

-- Of whoever asks. As the definer, since a policy of a table cannot read the table.
create function hearth_role() returns text
    language sql stable security definer set search_path = public, pg_temp
    as $$ select role from person where id = hearth_person() $$;
revoke all on function hearth_role() from public;
grant execute on function hearth_role() to hearth_app;

create policy by_self_or_owner on person as restrictive for update to hearth_app
    using (id = hearth_person() or hearth_role() = 'owner');
