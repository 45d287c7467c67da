-- Tells the admins of a hospital, or of every hospital where the job serves all, that a job keeps
-- failing or that it works again. Only note_job calls it, as the owner: who could call it would write
-- into inboxes.
create or replace function app_private.tell_of_job(hospital_id uuid, job text, event text)
returns void
language plpgsql
as $$
begin
  insert into app_public.notification (
    hospital_id, account_id, event, priority, channels, title, body, created_at)
  select account.hospital_id, account.id, template.event, template.priority, template.channels,
    app_private.fill_template(template.title, null, null, null, null, facts.words),
    app_private.fill_template(template.body, null, null, null, null, facts.words),
    app_private.clock()
  from app_public.hospital
  join app_public.account on account.hospital_id = hospital.id and account.role = 'admin' and account.is_active
  join app_public.notification_template as template
    on template.event = tell_of_job.event and template.audience = 'staff'
  cross join lateral (
    select jsonb_build_object('reason', tell_of_job.job, 'message', coalesce((
      select entry.description from app_public.job as entry where entry.name = tell_of_job.job), '')) as words) as facts
  where hospital.id = tell_of_job.hospital_id or tell_of_job.hospital_id = app_private.machinery();
end
$$;

comment on function app_private.tell_of_job(uuid, text, text) is
  'Leaves a notification about a job for the admins of a hospital, or of all where the job serves all.';

revoke execute on function app_private.tell_of_job(uuid, text, text) from public;
