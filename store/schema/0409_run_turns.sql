-- How each turn of a run began that answers more than one message: where one forks such a run, it goes on with the turn of that step.

create table run_turn (
    run_id uuid not null references run,
    number integer not null,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    first_step integer not null,   -- the steps before that position are of earlier turns
    first_input integer not null,  -- so with what was added to the run
    input_id uuid not null references message,
    turn json not null default '{}',  -- the working state, as the run has it; of the first none
    primary key (run_id, number)
);
alter table run_turn enable row level security;
alter table run_turn force row level security;
create policy owner_all on run_turn to hearth_owner using (true) with check (true);
do $$
declare
    visible constant text := 'tenant_id = hearth_tenant() and (audience_id = hearth_person() or exists'
        ' (select 1 from membership m where m.group_id = audience_id and m.person_id = hearth_person()))';
begin
    execute format('create policy of_audience on run_turn to hearth_app using (%s) with check (%s)', visible, visible);
end $$;
grant select, insert on run_turn to hearth_app;
