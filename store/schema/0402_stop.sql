-- A stop is asked for in the run's row, so that it reaches whichever process holds the run, and holds one that nobody holds.

alter table run add column stop_asked_at timestamptz;
grant update (stop_asked_at) on run to hearth_app;
