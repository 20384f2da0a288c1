-- A run never does the same effect twice: the key of a step is its own within the run.

update step s set effect_key = s.effect_key || ' #' || s.position
    where exists (select 1 from step e where e.run_id = s.run_id and e.effect_key = s.effect_key and e.position < s.position);
create unique index step_effect on step (run_id, effect_key);
