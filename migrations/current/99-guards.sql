-- Ends what stands here with the declaration of what it made. A file that is committed by itself ends
-- with this line of its own.
set local role app_owner;

select app_private.declare_guards();

reset role;
