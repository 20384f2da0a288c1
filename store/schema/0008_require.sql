-- A statement that must touch a row says so itself: its failure then ends the transaction at once, even
-- when the commit is already on its way.

create function hearth_require(touched boolean, condition text, reason text) returns void language plpgsql as $$
begin
    if not touched then
        raise exception using errcode = condition, message = reason;
    end if;
end $$;
