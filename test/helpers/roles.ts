/**
 * Roles belong to the whole server, so a migration of another database may change the same ones at the same
 * time: two at once fail with "tuple concurrently updated", or wait for each other. A transaction that changes
 * roles says this first, which changes nothing: it takes the locks that sql/roles.sql takes first, in its order.
 */
export const lockRoles =
  'grant pg_read_all_stats to app_observer; grant app_login to app_authenticator';
