-- One digest in four hours, however many ask for it at once: the mark moves in the same transaction, and
-- who comes second finds it moved. Nothing is sent when there is nothing; the mark moves all the same, and
-- messages of long ago are forgotten. It becomes an ordinary mail to each admin, with the tries again of
-- all mails. Definer, because no role may write inboxes.
create or replace function app_private.send_health_digest(hospital_id uuid) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  instant timestamptz := app_private.clock();
  since timestamptz;
  own text;
  machinery text;
begin
  insert into app_private.health_digest_mark as mark (hospital_id, reached_at, reached_before)
  values (send_health_digest.hospital_id, instant, instant - interval '4 hours')
  on conflict on constraint health_digest_mark_pkey do update
  set reached_before = mark.reached_at,
      reached_at = excluded.reached_at
  where mark.reached_at <= instant - interval '4 hours'
  returning mark.reached_before into since;
  if since is null then
    return 0;
  end if;

  delete from app_private.health_alert_delivery as delivery
  where delivery.hospital_id in (send_health_digest.hospital_id, app_private.machinery())
    and delivery.ended_at < instant - interval '30 days';

  -- A run of checks that began before the last digest may have ended after it: rather told twice than never.
  since := since - interval '5 minutes';
  own := app_private.health_digest(hospital_id, since);
  machinery := app_private.health_digest(app_private.machinery(), since);
  if own is null and machinery is null then
    return 0;
  end if;
  return app_private.tell_admins(hospital_id, 'health_digest', jsonb_build_object(
    'message', concat_ws(E'\n\n', own, E'The system, which serves all hospitals\n\n' || machinery)));
end
$$;

comment on function app_private.send_health_digest(uuid) is
  'Leaves the digest of a hospital''s health for its admins when it is due and there is something to tell; returns to how many.';

revoke execute on function app_private.send_health_digest(uuid) from public;
grant execute on function app_private.send_health_digest(uuid) to app_worker;
