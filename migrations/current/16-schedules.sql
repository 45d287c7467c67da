-- Schedules that change as a whole, and slots that follow them; the hospital's zone; what admins set up.

set local role app_owner;

create type app_public.schedule_row as (
  location_id uuid,
  weekday integer,
  start_time time,
  end_time time,
  break_start time,
  break_end time,
  slot_capacity integer
);
comment on type app_public.schedule_row is 'One stretch of work in a doctor''s week, as it is wished for.';
comment on column app_public.schedule_row.location_id is 'Where the doctor works.';
comment on column app_public.schedule_row.weekday is 'Day of the week by ISO 8601: 1 Monday to 7 Sunday.';
comment on column app_public.schedule_row.start_time is 'Local time at which work starts.';
comment on column app_public.schedule_row.end_time is 'Local time at which work ends, after the start and on the same day; 24:00 is its end.';
comment on column app_public.schedule_row.break_start is 'Local time at which the break starts; left out without a break.';
comment on column app_public.schedule_row.break_end is 'Local time at which the break ends; left out without a break.';
comment on column app_public.schedule_row.slot_capacity is 'How many patients each slot takes; 1 unless given.';

create type app_private.working_hours as (
  schedule_id uuid,
  doctor_id uuid,
  location_id uuid,
  weekday integer,
  start_time time,
  end_time time,
  break_start time,
  break_end time,
  slot_capacity integer,
  effective_from date,
  effective_until date
);
comment on type app_private.working_hours is 'Weekly hours that slots are planned from, whether a schedule holds them already (schedule_id) or not.';

create type app_private.planned_slot as (
  slot_id uuid,
  fate text,
  doctor_id uuid,
  location_id uuid,
  schedule_id uuid,
  during tstzrange,
  capacity integer,
  absence_id uuid,
  holiday_id uuid,
  blocked_at timestamptz,
  blocked_reason text,
  was_closed boolean
);
comment on type app_private.planned_slot is
  'What becomes of a slot: generate, follow (it stays, with other particulars), restore (it was retired), retire, withdraw or delete.';

--! include catalog/error_catalog.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include policies/hospital.sql
--! include policies/location.sql
--! include policies/doctor.sql
--! include policies/service.sql
--! include policies/schedule.sql
--! include policies/slot.sql

--! include functions/scheduling/guard_input.sql
--! include functions/scheduling/guard_doctor.sql
--! include functions/scheduling/create_doctor.sql
--! include functions/scheduling/update_doctor.sql
--! include functions/scheduling/guard_location.sql
--! include functions/scheduling/create_location.sql
--! include functions/scheduling/update_location.sql
--! include functions/scheduling/guard_service.sql
--! include functions/scheduling/create_service.sql
--! include functions/scheduling/update_service.sql
--! include functions/scheduling/update_hospital_settings.sql

--! include functions/scheduling/closed_days.sql
--! include functions/scheduling/working_hours_from.sql
--! include functions/slots/wanted_slots.sql
--! include functions/slots/cut_slots.sql
--! include functions/slots/extend_slot_horizon.sql
--! include functions/slots/materialise_day.sql
--! include functions/slots/plan_slots.sql
--! include functions/slots/summarise_plan.sql
--! include functions/slots/preview_slots.sql
--! include functions/slots/carry_out_plan.sql
--! include functions/slots/lock_slots_ahead.sql
--! include functions/slots/regenerate_slots.sql
--! include functions/slots/follow_schedule.sql
--! include functions/scheduling/announce_stored_days.sql
--! include functions/scheduling/announce_working_time.sql

--! include functions/scheduling/guard_schedule_rows.sql
--! include functions/scheduling/guard_schedule_change.sql
--! include functions/scheduling/replaced_hours.sql
--! include functions/scheduling/replace_schedule.sql
--! include functions/scheduling/preview_schedule.sql

--! include functions/scheduling/holds_calendar.sql
--! include functions/identity/guard_time_zone.sql
--! include functions/scheduling/guard_new_time_zone.sql
--! include functions/scheduling/keep_absence_time.sql
--! include functions/scheduling/follow_time_zone.sql
--! include functions/scheduling/move_to_time_zone.sql
--! include functions/scheduling/change_time_zone.sql
--! include functions/scheduling/preview_time_zone.sql

reset role;
