-- Traces refuse changes from the owner too, the app may change only the columns that it has to, and
-- definer functions look nothing up among a caller's temporary tables.

create function hearth_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on span
    for each statement execute function hearth_refuse_change();
create trigger append_only before update or delete or truncate on telemetry_event
    for each statement execute function hearth_refuse_change();

revoke update on run, step from hearth_app;
grant update (epoch, state, error, turn, usage, finished_at) on run to hearth_app;
grant update (state, outcome, finished_at) on step to hearth_app;

alter function hearth_authenticate(text) set search_path = public, pg_temp;
alter function hearth_settle_interrupted() set search_path = public, pg_temp;

-- jsonb refuses \u0000, which models do write into arguments.
alter table run alter turn drop default, alter usage drop default;
alter table run alter turn type json using turn::json, alter usage type json using usage::json;
alter table run alter turn set default '{}', alter usage set default '{}';
alter table step alter input drop default, alter outcome drop default;
alter table step alter input type json using input::json, alter outcome type json using outcome::json;
alter table step alter input set default '{}', alter outcome set default '{}';
