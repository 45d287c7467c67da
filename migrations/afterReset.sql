-- A reset database needs nothing beyond what the first migration creates itself: roles, schemas
-- and extensions stand there, so that a database that is migrated and one that is reset are equal.
select 1;
