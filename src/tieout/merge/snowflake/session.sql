-- begin --
-- One transaction; its name tells whoever finds it in his way whose it is.
begin{% if name %} name {{ name }}{% endif %};

-- database --
-- Where the session is.
select current_database() as database;

-- transaction --
-- Which one is open; null where none is.
select current_transaction() as id;

-- locks --
-- Who of this user's sessions holds what, and who waits for it. It needs no running warehouse.
show locks;

-- transactions --
-- Those of this user that run, with their names.
show transactions;

-- abort --
-- Ends somebody's transaction, of which nothing stays. What is not a constant is not taken here.
select system$abort_transaction({{ number }}) as told;
