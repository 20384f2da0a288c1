-- Whether others read in a chat: what is a person's own is told in none of those, whoever begins to speak there.
alter table channel_conversation add column in_company boolean not null default false;
update channel_conversation c set in_company = true
    where (c.bridge = 'telegram' and c.chat like '-%') or exists (select from chat_group g where g.tenant_id = c.tenant_id and g.bridge = c.bridge and g.chat = c.chat);
grant update (in_company) on channel_conversation to hearth_app;
