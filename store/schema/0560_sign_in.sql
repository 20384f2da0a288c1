-- Signing in from a browser: links that are good for once, sessions, passwords. Of secrets only hashes lie here.

create table sign_in_link (
    hash text primary key,  -- SHA-256 of the secret, hex; here and below
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid not null references person,
    made_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);

create table browser_session (
    id uuid primary key,
    tenant_id uuid not null default hearth_tenant() references tenant,
    person_id uuid not null default hearth_person() references person,
    hash text not null unique,
    way text not null check (way in ('link', 'password')),  -- by which it was begun
    label text not null,                                    -- what the browser calls itself
    begun_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index browser_session_of_person on browser_session (person_id);

create table password (
    person_id uuid primary key default hearth_person() references person,
    tenant_id uuid not null default hearth_tenant() references tenant,
    hash text not null,  -- Argon2id, as libsodium writes it
    changed_at timestamptz not null default clock_timestamp()
);

do $$
declare t text;
begin
    foreach t in array array['sign_in_link', 'browser_session', 'password'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
    end loop;
    foreach t in array array['browser_session', 'password'] loop
        execute format('create policy of_person on %I to hearth_app using (tenant_id = hearth_tenant() and person_id = hearth_person())'
                       ' with check (tenant_id = hearth_tenant() and person_id = hearth_person())', t);
    end loop;
end $$;
-- One's own, of the owner everybody's of the house; a foreign key would look past the house.
create policy made_by on sign_in_link for insert to hearth_app
    with check (tenant_id = hearth_tenant() and (person_id = hearth_person() or hearth_role() = 'owner')
                and exists (select 1 from person p where p.id = person_id and p.tenant_id = hearth_tenant()));
grant insert on sign_in_link to hearth_app;
grant select, insert, delete on browser_session, password to hearth_app;
grant update (seen_at) on browser_session to hearth_app;
grant update (hash, changed_at) on password to hearth_app;

-- Whose a link is, which is used up with that; and those go whose time is over.
create function hearth_use_link(link_hash text) returns table (tenant_id uuid, person_id uuid)
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return query delete from sign_in_link l where l.hash = link_hash and l.expires_at > clock_timestamp() returning l.tenant_id, l.person_id;
    delete from sign_in_link l where l.expires_at <= clock_timestamp();
end $$;

-- Whose a session is, before anybody's identity is known.
create function hearth_session(session_hash text)
    returns table (id uuid, tenant_id uuid, person_id uuid, role text)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select s.id, s.tenant_id, s.person_id, p.role from browser_session s join person p on p.id = s.person_id
          where s.hash = session_hash and s.expires_at > clock_timestamp() $$;

-- Of somebody who says a name and wants to be believed.
create function hearth_password(person_name text)
    returns table (tenant_id uuid, person_id uuid, hash text)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select w.tenant_id, w.person_id, w.hash from password w join person p on p.id = w.person_id where p.name = person_name order by p.created_at limit 1 $$;

revoke all on function hearth_use_link(text), hearth_session(text), hearth_password(text) from public;
grant execute on function hearth_use_link(text), hearth_session(text), hearth_password(text) to hearth_app;
