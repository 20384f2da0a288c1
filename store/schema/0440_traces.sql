-- Anchors: each day the heads of all chains that went on since the last one, hashed with the anchor before. So a
-- run that is gone as a whole, which no chain of its own tells, is missed. And bodies of spans by age and size.

create table trace_anchor (
    tenant_id uuid not null references tenant,
    day date not null,
    runs bigint not null,
    previous text not null,  -- hash of the anchor before; '' of the first
    hash text not null,
    made_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, day)
);
create table trace_head (
    tenant_id uuid not null references tenant,
    day date not null,
    run_id uuid not null,
    position integer not null,  -- of the run's last span then
    hash text not null,
    primary key (tenant_id, day, run_id),
    foreign key (tenant_id, day) references trace_anchor deferrable initially deferred
);
create index trace_head_run on trace_head (run_id, position);

do $$
declare t text;
begin
    foreach t in array array['trace_anchor', 'trace_head'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy owner_all on %I to hearth_owner using (true) with check (true)', t);
        execute format('create policy of_tenant on %I for select to hearth_app'
                       ' using (tenant_id = hearth_tenant() and hearth_person() is not null)', t);
        execute format('create trigger append_only before update or delete or truncate on %I'
                       ' for each statement execute function hearth_refuse_change()', t);
    end loop;
end $$;
grant select on trace_anchor, trace_head to hearth_app;

-- The text that an anchor's hash is of: the anchor before, and a line a head.
create function hearth_anchor_text(tenant uuid, anchor_day date, before text) returns text
    language sql stable set search_path = public, pg_temp
    as $$ select before || E'\n' || tenant || ' ' || to_char(anchor_day, 'YYYY-MM-DD') || coalesce(string_agg(E'\n' || h.run_id || ' ' || h.position || ' ' || h.hash, '' order by h.run_id), '')
          from trace_head h where h.tenant_id = tenant and h.day = anchor_day $$;

-- Today's anchor of every tenant that has none yet.
create function hearth_anchor_traces() returns integer
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    t uuid;
    today constant date := (clock_timestamp() at time zone 'UTC')::date;
    before text;
    made integer := 0;
    ids uuid[];
    positions integer[];
    hashes text[];
begin
    perform pg_advisory_xact_lock(7311250148);
    for t in select id from tenant order by id loop
        continue when exists (select 1 from trace_anchor a where a.tenant_id = t and a.day >= today);
        -- Read as a whole, then written: one statement would look through what it has itself inserted for each run.
        select array_agg(r.id), array_agg(last.position), array_agg(last.hash) into ids, positions, hashes
            from run r cross join lateral (select s.position, s.hash from span s where s.run_id = r.id order by s.position desc limit 1) last
            left join (select h.run_id, max(h.position) as position from trace_head h where h.tenant_id = t group by h.run_id) known on known.run_id = r.id
            where r.tenant_id = t and (known.position is null or known.position < last.position);
        insert into trace_head (tenant_id, day, run_id, position, hash)
            select t, today, head.id, head.position, head.hash from unnest(ids, positions, hashes) head(id, position, hash);
        before := coalesce((select a.hash from trace_anchor a where a.tenant_id = t order by a.day desc limit 1), '');
        insert into trace_anchor (tenant_id, day, runs, previous, hash)
            select t, today, (select count(*) from trace_head h where h.tenant_id = t and h.day = today), before,
                   encode(sha256(convert_to(hearth_anchor_text(t, today, before), 'UTF8')), 'hex');
        made := made + 1;
    end loop;
    return made;
end $$;

-- All anchors, for the copy that lies outside the database.
create function hearth_anchors() returns table (tenant_id uuid, day date, hash text)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select a.tenant_id, a.day, a.hash from trace_anchor a order by a.tenant_id, a.day $$;

-- The heads that the tenant's anchors hold, each with the hash that stands at its place now (null: none), whoever's
-- run it is: it tells that something is gone or changed, and nothing of what it says.
create function hearth_anchored_heads() returns table (day date, run_id uuid, "position" integer, hash text, found text)
    language sql stable security definer set search_path = public, pg_temp
    as $$ select h.day, h.run_id, h.position, h.hash, s.hash
          from trace_head h left join span s on s.run_id = h.run_id and s.position = h.position and s.tenant_id = h.tenant_id
          where h.tenant_id = hearth_tenant() order by h.day, h.run_id $$;

alter table span_body add column bytes integer generated always as (octet_length(body)) stored;
create index span_body_age on span_body (span_id) include (bytes);  -- ids begin with their time

-- Erases bodies, the oldest first and at most so many: of spans before that id, and what is more than so many bytes
-- of the newest (0: any number). Their digests stay.
create function hearth_erase_bodies(before uuid, keep_bytes bigint, most integer) returns table (bodies bigint, bytes bigint)
    language sql security definer set search_path = public, pg_temp
    as $$ with counted as (select b.span_id, case when keep_bytes > 0 then sum(b.bytes) over (order by b.span_id desc) else 0 end as total from span_body b),
               chosen as (select c.span_id from counted c where c.span_id < before or c.total > keep_bytes order by c.span_id limit most),
               erased as (delete from span_body b using chosen c where b.span_id = c.span_id returning b.bytes)
          select count(*), coalesce(sum(e.bytes), 0)::bigint from erased e $$;

revoke all on function hearth_anchor_traces(), hearth_anchors(), hearth_anchored_heads(), hearth_erase_bodies(uuid, bigint, integer) from public;
grant execute on function hearth_anchor_traces(), hearth_anchors(), hearth_anchored_heads(), hearth_erase_bodies(uuid, bigint, integer) to hearth_app;
