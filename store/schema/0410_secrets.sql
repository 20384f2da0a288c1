-- Secrets: each sealed with a data key of its own, which a master key outside the database wraps. Of a person,
-- or of the tenant (audience_id is then the tenant's id): those everybody in it may use and the owner may change.

create table secret (
    tenant_id uuid not null default hearth_tenant() references tenant,
    audience_id uuid not null,
    name text not null,
    version bigint not null,
    host text not null,         -- the only one that it may be sent to; '': whichever the settings name
    master_key text not null,   -- which one wraps: the beginning of its fingerprint
    wrapped_key text not null,  -- these two are XChaCha20-Poly1305: nonce and ciphertext, base64
    sealed text not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, audience_id, name)
);

alter table secret enable row level security;
alter table secret force row level security;
create policy owner_all on secret to hearth_owner using (true) with check (true);
create policy of_person on secret to hearth_app
    using (tenant_id = hearth_tenant() and audience_id = hearth_person())
    with check (tenant_id = hearth_tenant() and audience_id = hearth_person());
create policy of_tenant on secret for select to hearth_app
    using (tenant_id = hearth_tenant() and audience_id = tenant_id and hearth_person() is not null);
create policy of_owner on secret to hearth_app
    using (tenant_id = hearth_tenant() and audience_id = tenant_id
           and exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'))
    with check (tenant_id = hearth_tenant() and audience_id = tenant_id
                and exists (select 1 from person p where p.id = hearth_person() and p.role = 'owner'));
grant select, insert, delete on secret to hearth_app;
grant update (version, host, master_key, wrapped_key, sealed, changed_at) on secret to hearth_app;

-- All of them as they lie here, whoever they belong to: to wrap them anew, and to know what no log may hold. Without
-- the master key they tell names and sizes.
create function hearth_sealed_secrets() returns setof secret
    language sql stable security definer set search_path = public, pg_temp
    as $$ select * from secret order by tenant_id, audience_id, name $$;

-- Another master key wraps the same data key. False when the secret was changed meanwhile.
create function hearth_rewrap_secret(tenant uuid, audience uuid, secret_name text, wrapped_before text, master_now text, wrapped_now text) returns boolean
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update secret set master_key = master_now, wrapped_key = wrapped_now
        where tenant_id = tenant and audience_id = audience and name = secret_name and wrapped_key = wrapped_before;
    return found;
end $$;

revoke all on function hearth_sealed_secrets(), hearth_rewrap_secret(uuid, uuid, text, text, text, text) from public;
grant execute on function hearth_sealed_secrets(), hearth_rewrap_secret(uuid, uuid, text, text, text, text) to hearth_app;
