-- The limiter of the login routes counts here, before anybody is known; keys are hashed. Nobody else
-- has a right, and no row-level security divides what has no owner.
grant select, insert, update, delete on app_private.rate_limit to app_login;
