-- What a child has not used of its part comes back with its report, when its parent reads that.

alter table run_input add column unused_tokens integer not null default 0 check (unused_tokens >= 0);
