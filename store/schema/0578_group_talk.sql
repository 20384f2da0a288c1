-- What was said to the assistant in a group, and answered there for all to read: data of whoever reads there. It is read where it
-- lies, in the runs of whoever said it, so that what is forgotten there is forgotten here.

-- Of others, since this person was last answered there, in the last day; the oldest first. Who has not spoken there yet may have come since, and is told nothing.
create function hearth_group_talk(of_bridge text, of_chat text, most integer) returns table (name text, asked text, answered text)
    language sql stable security definer set search_path = public, pg_temp as $$
    select t.name, t.asked, t.answered from (
        select p.name, coalesce((select case when position('\u0000' in m.body) > 0 then '' else m.body::json->>'content' end from message m where m.id = r.input_id), r.question, '') as asked, coalesce(r.turn->>'answer', '') as answered, r.finished_at
        from arrival a join run r on r.id = a.run_id join person p on p.id = a.person_id
        where a.tenant_id = hearth_tenant() and a.bridge = of_bridge and a.chat = of_chat and a.in_company and a.state = 'done' and a.person_id <> hearth_person() and r.state = 'answered'
            and r.finished_at > greatest(clock_timestamp() - interval '1 day', (
                select coalesce(max(own.started_at), 'infinity') from arrival b join run own on own.id = b.run_id
                where b.tenant_id = a.tenant_id and b.bridge = of_bridge and b.chat = of_chat and b.person_id = hearth_person() and own.finished_at is not null))
            and exists (select from outbox o where o.tenant_id = a.tenant_id and o.bridge = of_bridge and o.chat = of_chat and o.emitter = 'run:' || r.id and o.state = 'delivered')
        order by r.finished_at desc limit most) t
    order by t.finished_at $$;
revoke all on function hearth_group_talk(text, text, integer) from public;
grant execute on function hearth_group_talk(text, text, integer) to hearth_app;
