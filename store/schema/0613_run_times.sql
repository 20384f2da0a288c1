-- Runs and calls of tools of a span of time, of one who asks: for sums over them. Neither column changes, so that a run that goes on writes no entry here.
create index run_times on run (audience_id, started_at);
create index step_tool_times on step (audience_id, started_at) where kind = 'tool';
