-- A time-ordered uuid (version 7, RFC 9562): 48 bits of milliseconds, then random bits. The native
-- function where the server has one (Postgres 18), else the same layout made of gen_random_uuid().
do $$
begin
  if current_setting('server_version_num')::int >= 180000 then
    execute $native$
      create or replace function app_private.new_id() returns uuid
      language sql volatile parallel safe
      return uuidv7()
    $native$;
  else
    execute $own$
      create or replace function app_private.new_id() returns uuid
      language sql volatile parallel safe
      return encode(
        set_bit(set_bit(
          overlay(uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6),
          52, 1), 53, 1),
        'hex')::uuid
    $own$;
  end if;
end
$$;

comment on function app_private.new_id() is 'A new time-ordered uuid (version 7).';

revoke execute on function app_private.new_id() from public;
grant execute on function app_private.new_id()
  to app_worker, app_login, app_patient, app_doctor, app_nurse, app_receptionist, app_admin;
