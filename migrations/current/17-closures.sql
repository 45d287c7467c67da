-- Absences, holidays and availability: what closes slots, and what happens to the appointments in them.

set local role app_owner;

create index absence_of_a_doctor_by_day on app_public.absence (hospital_id, doctor_id, first_day);
create index holiday_by_day on app_public.holiday (hospital_id, date);

create type app_public.entered_absence as (
  absence_id uuid,
  change app_public.calendar_change
);
comment on type app_public.entered_absence is 'An absence that was entered, and what that did.';
comment on column app_public.entered_absence.absence_id is 'The absence.';
comment on column app_public.entered_absence.change is 'What it did to the calendar.';

create type app_public.entered_holiday as (
  holiday_id uuid,
  change app_public.calendar_change
);
comment on type app_public.entered_holiday is 'A holiday that was entered, and what that did.';
comment on column app_public.entered_holiday.holiday_id is 'The holiday.';
comment on column app_public.entered_holiday.change is 'What it did to the calendar.';

--! include functions/foundation/keep_columns.sql
--! include functions/scheduling/judge_absence.sql
--! include functions/scheduling/find_alternatives.sql
--! include functions/scheduling/find_affected.sql
--! include functions/scheduling/closing_change.sql
--! include functions/scheduling/report_change.sql
--! include functions/scheduling/reported_change.sql
--! include functions/scheduling/seats_of.sql
--! include functions/scheduling/lock_affected.sql
--! include functions/scheduling/cancel_affected.sql
--! include functions/scheduling/tell_affected.sql
--! include functions/scheduling/announce_calendar.sql
--! include functions/scheduling/admit_absence.sql
--! include functions/scheduling/close_for_absence.sql
--! include functions/scheduling/end_absence.sql
--! include functions/scheduling/open_after_absence.sql
--! include functions/scheduling/create_absence.sql
--! include functions/scheduling/declare_emergency.sql
--! include functions/scheduling/cancel_absence.sql
--! include functions/scheduling/preview_absence.sql
--! include functions/scheduling/judge_holiday.sql
--! include functions/scheduling/days_of_holiday.sql
--! include functions/scheduling/slots_of_holiday.sql
--! include functions/scheduling/affected_by_holiday.sql
--! include functions/scheduling/admit_holiday.sql
--! include functions/scheduling/close_for_holiday.sql
--! include functions/scheduling/end_holiday.sql
--! include functions/scheduling/open_after_holiday.sql
--! include functions/scheduling/create_holiday.sql
--! include functions/scheduling/cancel_holiday.sql
--! include functions/scheduling/preview_holiday.sql
--! include functions/scheduling/upcoming_of_doctor.sql
--! include functions/scheduling/upcoming_of_patient.sql
--! include functions/scheduling/try_lock_calendar.sql
--! include functions/scheduling/guard_doctor_leave.sql
--! include functions/scheduling/guard_patient_leave.sql
--! include functions/scheduling/vacate_doctor.sql
--! include functions/scheduling/refuse_unreachable_doctor.sql
--! include functions/scheduling/set_doctor_availability.sql
--! include functions/scheduling/preview_doctor_availability.sql
--! include functions/scheduling/deactivate_doctor.sql
--! include functions/scheduling/reactivate_doctor.sql
--! include functions/scheduling/preview_doctor_deactivation.sql
--! include functions/scheduling/deactivate_patient.sql
--! include functions/scheduling/reactivate_patient.sql
--! include functions/scheduling/preview_patient_deactivation.sql
--! include functions/audit/record_audit.sql
--! include policies/absence.sql
--! include policies/holiday.sql
--! include policies/doctor.sql
--! include policies/patient.sql

reset role;
