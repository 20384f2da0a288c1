-- Of a call's output, what its grammar left no choice about. Calls so far count none.

alter table model_usage add column forced_tokens integer not null default 0;
