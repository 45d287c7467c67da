-- What a plan for slots does, in the words of a calendar change. Read before the plan is carried out,
-- so that each affected appointment is told as it was; a preview stops here. A lapsed hold is nobody's
-- appointment any more, though its seat is counted until somebody releases it.
create or replace function app_private.summarise_plan(
  hospital_id uuid, plan app_private.planned_slot[], with_alternatives boolean)
returns app_public.calendar_change
language plpgsql stable
as $$
declare
  change app_public.calendar_change;
  retired uuid[];
begin
  select
    count(*) filter (where planned.fate = 'follow' and not planned.was_closed
      and (planned.absence_id is not null or planned.holiday_id is not null)),
    count(*) filter (where planned.fate = 'restore' or planned.fate = 'follow' and planned.was_closed
      and planned.absence_id is null and planned.holiday_id is null),
    count(*) filter (where planned.fate = 'delete'),
    count(*) filter (where planned.fate = 'withdraw'),
    count(*) filter (where planned.fate = 'retire'),
    count(*) filter (where planned.fate = 'generate'),
    coalesce(array_agg(planned.slot_id) filter (where planned.fate = 'retire'), '{}')
  into change.closed_slots, change.opened_slots, change.deleted_slots, change.withdrawn_slots,
    change.kept_slots, change.generated_slots, retired
  from unnest(plan) as planned;

  select
    coalesce(array_agg(affected.entry order by affected.starts_at, affected.id), '{}'),
    count(distinct affected.patient_id)
  into change.affected_appointments, change.notified_patients
  from (
    select appointment.id, appointment.starts_at, appointment.patient_id,
      row(appointment.id, appointment.patient_id, appointment.doctor_id,
        appointment.starts_at, appointment.ends_at, appointment.status,
        case when with_alternatives then (
          select found.alternatives
          from app_private.find_affected(
            summarise_plan.hospital_id, appointment.doctor_id, appointment.during, true) as found
          where found.appointment_id = appointment.id)
        else '{}' end)::app_public.affected_appointment as entry
    from app_public.appointment
    where appointment.hospital_id = summarise_plan.hospital_id
      and appointment.holds_seat
      and (appointment.status <> 'held' or appointment.held_until > app_private.clock())
      and appointment.id in (
        select seated.id
        from app_public.appointment as seated
        where seated.hospital_id = summarise_plan.hospital_id and seated.slot_id = any (retired)
        union all
        select appointment_seat.appointment_id
        from app_public.appointment_seat
        where appointment_seat.hospital_id = summarise_plan.hospital_id and appointment_seat.slot_id = any (retired))
  ) as affected;
  change.cancelled_appointments := 0;
  return change;
end
$$;

comment on function app_private.summarise_plan(uuid, app_private.planned_slot[], boolean) is
  'Counts of a plan for slots, and the appointments that it leaves in slots outside the hours.';

revoke execute on function app_private.summarise_plan(uuid, app_private.planned_slot[], boolean) from public;
