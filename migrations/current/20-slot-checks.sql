-- Whether slots and those who sit in them agree, and whether slots are what the schedules give.
set local role app_owner;

--! include checks/slots/slot_seats.sql
--! include checks/slots/slot_counter_mismatch.sql
--! include checks/slots/booked_slot_without_appointment.sql
--! include checks/slots/available_slot_with_full_appointments.sql
--! include checks/slots/booked_slot_with_inactive_appointment.sql
--! include checks/slots/overlapping_slots.sql
--! include checks/slots/appointment_outside_slot.sql
--! include checks/generation/slot_hours.sql
--! include checks/generation/duplicate_slots.sql
--! include checks/generation/missing_slots.sql
--! include checks/generation/slot_outside_schedule.sql
--! include checks/generation/slot_without_schedule.sql
--! include checks/generation/slot_off_grid.sql
--! include checks/generation/slot_on_holiday.sql
--! include checks/generation/unblocked_slot_in_absence.sql
--! include checks/generation/block_without_absence.sql
--! include functions/health/is_still_found.sql
--! include functions/health/repair_slot_count.sql
--! include functions/health/repair_stray_slot.sql
--! include functions/health/repair_slot_closure.sql
--! include functions/health/repair_missing_slots.sql
--! include checks/all_findings.sql

reset role;
