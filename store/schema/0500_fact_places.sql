-- Where a reader of facts goes on: each has the transaction that wrote it, so that what has come since is found by an index, also what
-- was written before and committed after. Facts so far count as written now.

alter table fact add column written bigint not null default pg_current_xact_id()::text::bigint;
create index fact_place on fact (audience_id, written, id);
