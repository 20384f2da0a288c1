-- What an agent keeps in mind of a conversation while it lasts: one short text, beside the messages that the prompt repeats.

create table scratchpad (
    conversation_id uuid primary key references conversation on delete cascade,
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null default hearth_person(),
    body text not null check (octet_length(body) <= 2048),
    trusted boolean not null,
    run_id uuid not null,        -- that wrote it
    changed_at timestamptz not null default clock_timestamp()
);
alter table scratchpad enable row level security;
alter table scratchpad force row level security;
create policy owner_all on scratchpad to hearth_owner using (true) with check (true);
create policy of_person on scratchpad to hearth_app using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
grant select, insert, delete on scratchpad to hearth_app;
grant update (body, trusted, run_id, changed_at) on scratchpad to hearth_app;

-- It ends with its conversation.
create function hearth_end_scratchpad() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from scratchpad s where s.conversation_id = new.id;
    return new;
end $$;
create trigger scratchpad_ends after update of state on thread for each row when (new.state is not null) execute function hearth_end_scratchpad();
