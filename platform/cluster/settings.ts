import { address } from './port.ts';

/** What `pg_hba.conf` says: passwords over the loopback address, nothing else. */
export const accessRules = `# Written at every start.
host all all ${address}/32 scram-sha-256
`;

/**
 * Settings of the embedded Postgres, included from its postgresql.conf and written at every start.
 *
 * Refused bookings are ordinary here, and their values belong to patients. So errors of
 * statements are not logged, nor is a statement ever quoted: the caller gets the error, and what
 * is unexpected is logged by the server under an error id. The log tells of the system alone.
 *
 * Statistics are looked after every ten seconds: a hospital that is being filled is soon planned for
 * by what it holds, not by what it held.
 */
export function clusterSettings(options: { port: number; durable: boolean }): string {
  return `# Written at every start. What you change here is lost; use ALTER SYSTEM.
listen_addresses = '${address}'
port = ${options.port}
unix_socket_directories = ''
max_connections = 200
password_encryption = 'scram-sha-256'
timezone = 'UTC'
client_connection_check_interval = '1s'

shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '8MB'
maintenance_work_mem = '64MB'
max_parallel_workers_per_gather = 0
random_page_cost = 1.1
max_wal_size = '1GB'
jit = off
autovacuum_naptime = '10s'

logging_collector = on
log_destination = 'stderr'
log_directory = 'log'
log_filename = 'postgres-%d.log'
log_truncate_on_rotation = on
log_rotation_age = '1d'
log_rotation_size = 0
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d %a '
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_duration = off
log_min_duration_statement = -1
log_min_duration_sample = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
log_autovacuum_min_duration = -1
log_lock_waits = off
${options.durable ? durableSettings : throwAwaySettings}`;
}

const durableSettings = `
fsync = on
synchronous_commit = on
full_page_writes = on
`;

// For clusters of tests, whose content nobody misses after a crash.
const throwAwaySettings = `
fsync = off
synchronous_commit = off
full_page_writes = off
`;
