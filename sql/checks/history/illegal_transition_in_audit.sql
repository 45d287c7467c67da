-- The table of transitions says what may happen and to whom; the log says what did, whoever did it and by
-- whatever way. A repair acts as the worker, an operator may do what anybody may. The list is a
-- handful of texts that each entry is looked up in while the log is read once; of an update only the few
-- changed columns are read, unless they name a state.
-- What happened does not change any more, and what is sealed cannot: of sealed entries those of the last
-- 35 days are judged, 35 times each, by the rules of their time, and those since the first of
-- which a finding is still open. Of a hospital that nobody seals everything is.
create or replace view checks.illegal_transition_in_audit as
select broken.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, broken.record_id as entity_id,
  case
    when broken.operation = 'delete' then
      format('The log tells that the appointment was removed while it was %s, by the role %s.', broken.from_status, broken.actor_role)
    when broken.is_listed then
      format('The log tells that the appointment went from %s to %s, which the role %s may not do.',
        coalesce(broken.from_status, 'nothing'), broken.to_status, broken.actor_role)
    else
      format('The log tells that the appointment went from %s to %s, which nobody may do.',
        coalesce(broken.from_status, 'nothing'), coalesce(broken.to_status, 'nothing'))
  end as detail,
  jsonb_build_object('audit_entry_id', broken.id, 'from_status', broken.from_status, 'to_status', broken.to_status,
    'actor_role', broken.actor_role, 'recorded_at', broken.recorded_at) as metadata,
  concat_ws(':', entry.name, broken.record_id, broken.id) as cache_key
from (
  select log.hospital_id, log.id, log.record_id, log.operation, log.actor_role, log.recorded_at,
    log.old_state ->> 'status' as from_status, log.new_state ->> 'status' as to_status,
    exists (
      select from app_public.appointment_transition as listed
      where coalesce(listed.from_status::text, '') = coalesce(log.old_state ->> 'status', '')
        and listed.to_status::text = log.new_state ->> 'status') as is_listed
  from (
    select hospital.id as hospital_id, case when mark.hospital_id is null then 0
      else least(mark.settled_id, recent.first_entry_id, known.first_entry_id) end as first_id
    from app_public.hospital
    left join app_private.audit_seal_mark as mark on mark.hospital_id = hospital.id
    left join lateral (
      select min(seal.first_entry_id) as first_entry_id
      from app_public.audit_seal as seal
      where seal.hospital_id = hospital.id
        and seal.kind = 'entries'
        and seal.sealed_at > (select app_private.clock()) - interval '35 days'
    ) as recent on true
    left join lateral (
      select min((finding.metadata ->> 'audit_entry_id')::bigint) as first_entry_id
      from app_public.finding
      where finding.hospital_id = hospital.id
        and finding.check_name = 'illegal_transition_in_audit'
        and finding.resolved_at is null
    ) as known on true
  ) as judged
  join app_public.audit_entry as log on log.hospital_id = judged.hospital_id
  where log.table_name = 'appointment'
    and log.id >= judged.first_id
    and (log.operation <> 'update' or log.changed_columns ? 'status')
    and case
      when log.id < judged.first_id then false
      when log.operation = 'delete' then log.old_state ->> 'status' in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress')
      else (
        coalesce(log.old_state ->> 'status', ''),
        coalesce(coalesce(log.changed_columns, log.new_state) ->> 'status', ''),
        case when log.actor_role like 'repair:%' then 'worker' else log.actor_role end
      ) not in (
        select coalesce(listed.from_status::text, ''), listed.to_status::text, allowed.role
        from app_public.appointment_transition as listed
        cross join lateral unnest(listed.roles || 'operator'::text) as allowed (role))
    end
) as broken
join app_public.health_check as entry on entry.name = 'illegal_transition_in_audit';

comment on view checks.illegal_transition_in_audit is
  'Changes of state in the audit log that the state machine does not allow, or not to who made them.';
revoke all on checks.illegal_transition_in_audit from public;
grant select on checks.illegal_transition_in_audit to app_monitor;

select app_private.declare_check(
  name => 'illegal_transition_in_audit', domain => 'history', severity => 'critical', entity_type => 'appointment',
  title => 'An appointment changed in a way that is not allowed',
  meaning => 'The audit log tells of a change of state that the state machine does not list, or not for the role that made it.',
  importance => 'A rule was switched off or gone round: other appointments may have changed the same way, and nobody can tell who was right.',
  resolution => 'Read the appointment''s history, find out how the rule was passed (missing_guard names what is switched off), and bring the appointment into its right state.',
  remedy => 'review');
