-- The tools whose calls a secret may be opened for, by name, joined by commas. Empty: none, it is for upstreams.
alter table secret add column tools text not null default '';
grant update (tools) on secret to hearth_app;
