-- Whether a fact is the person's own word. Of the facts so far nobody knows.

alter table fact add column trusted boolean not null default false;
