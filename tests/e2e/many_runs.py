"""A hundred thousand runs of the last 29 days, for what must be usable with them."""
import nightly_test

MANY = """insert into run (id, tenant_id, audience_id, conversation_id, alias, state, question, usage, started_at, finished_at)
  select ('01900000-' || lpad(to_hex(n / 65536), 4, '0') || '-7' || lpad(to_hex((n / 16) % 4096), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid, c.tenant_id, c.audience_id, c.id, 'hearth', 'answered',
         case when n = 7 then 'where is the needle' else 'question ' || n end, '{"output_tokens": 5}', now() - (100001 - n) * interval '25 seconds', now() - (100001 - n) * interval '25 seconds' + interval '3 seconds'
  from generate_series(1, 100000) n, (select * from conversation order by created_at limit 1) c"""


def many_runs(server):
    nightly_test.sql(server.state, MANY)
    nightly_test.sql(server.state, "analyze run")
