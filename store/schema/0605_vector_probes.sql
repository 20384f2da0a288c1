-- A group's vectors have a probe of their own (0589): whoever of the group makes some is asked for nothing that he made of his own. Of the groups' vectors
-- that there are nobody knows by which model they were made: they are made anew.
delete from vector v where not exists (select from vector_probe p where p.audience_id = v.audience_id and p.model = v.model);
