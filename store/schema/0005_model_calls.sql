-- Every call of a model, also one that belongs to no run: what it took and how it went. What was
-- said stands in the traces of runs only.

alter table model_usage
    add column model text not null default '',
    add column profile text not null default '',
    add column finish text not null default '',
    add column error text not null default '',
    add column fallbacks json not null default '[]',
    add column started_at timestamptz not null default now(),
    add column duration_us bigint not null default 0,
    add column queued_us bigint not null default 0,
    add column prefill_us bigint not null default 0,
    add column decode_us bigint not null default 0;
create index model_usage_recent on model_usage (tenant_id, audience_id, started_at desc);
