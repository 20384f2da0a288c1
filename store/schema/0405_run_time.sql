-- How long a run has worked: its time limit does not begin anew with whoever takes it over, and does not run while nobody holds it.

alter table run
    add column worked interval not null default '0',  -- of earlier holders, up to the last sign of life that each gave
    add column held_at timestamptz not null default clock_timestamp();
grant update (worked, held_at) on run to hearth_app;
