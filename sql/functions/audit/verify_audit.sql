-- Thin: the seals are read with raised rights, for the hospital of the request.
create or replace function app_public.verify_audit(
  sealed_from timestamptz default null, sealed_until timestamptz default null, known_hash text default null)
returns app_public.audit_verification
language plpgsql stable
as $$
begin
  return app_private.check_audit(app_private.request_hospital_id(), sealed_from, sealed_until, known_hash);
end
$$;

comment on function app_public.verify_audit(timestamptz, timestamptz, text) is
  'Verifies the sealed audit log: that no entry was changed, removed or added since it was sealed, and that the chain of seals is whole. At most 50,000 entries at a time: give a range. A hash that you kept elsewhere proves that the chain was not written anew. For admins.';

revoke execute on function app_public.verify_audit(timestamptz, timestamptz, text) from public;
grant execute on function app_public.verify_audit(timestamptz, timestamptz, text) to app_admin;
