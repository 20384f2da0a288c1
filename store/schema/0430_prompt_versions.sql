-- Prompts are changed by saving a version and moving a label. What is live is what agents read: it moves only to a version
-- with a release, which says what speaks for it, and whoever looks back finds who moved it and why.

grant insert on prompt to hearth_app;
grant insert, update (version) on prompt_label to hearth_app;
alter table prompt add column author_id uuid;

create table prompt_release (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null default hearth_tenant() references tenant,
    name text not null,
    version integer not null,
    grounds text not null check (grounds in ('quality', 'override', 'rollback')),
    reason text not null check (grounds <> 'override' or reason <> ''),
    person_id uuid default hearth_person(),
    created_at timestamptz not null default clock_timestamp(),
    foreign key (tenant_id, name, version) references prompt
);
create index prompt_release_of on prompt_release (tenant_id, name, version);
alter table prompt_release enable row level security;
alter table prompt_release force row level security;
create policy owner_all on prompt_release to hearth_owner using (true) with check (true);
create policy of_tenant on prompt_release to hearth_app using (tenant_id = hearth_tenant() and hearth_person() is not null);
grant select, insert on prompt_release to hearth_app;
create trigger append_only before update or delete or truncate on prompt_release
    for each statement execute function hearth_refuse_change();
create trigger append_only before update or delete or truncate on prompt
    for each statement execute function hearth_refuse_change();

-- The labels that mean something: shipped follows the program, live and previous follow releases.
create function hearth_check_label() returns trigger language plpgsql as $$
begin
    if current_user <> 'hearth_app' then return new; end if;
    if new.label = 'shipped' then
        raise exception 'the label shipped follows the program' using errcode = 'insufficient_privilege';
    end if;
    if new.label in ('live', 'previous') and not exists (select 1 from prompt_label l where l.tenant_id = new.tenant_id and l.name = new.name
                                                         and l.version = new.version and l.label in ('shipped', 'previous', 'live'))
       and not exists (select 1 from prompt_release r where r.tenant_id = new.tenant_id and r.name = new.name and r.version = new.version) then
        raise exception 'version % of % was never released', new.version, new.name using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger protected before insert or update on prompt_label for each row execute function hearth_check_label();
