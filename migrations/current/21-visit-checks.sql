-- Checks of appointments and of what is counted from them, and their repairs.
set local role app_owner;

--! include functions/booking/count_further_seat.sql
--! include functions/visits/keep_no_show_counts.sql
--! include functions/visits/record_no_show.sql
--! include functions/visits/return_to_seat.sql
--! include functions/visits/admit_vitals.sql
--! include functions/visits/guard_consultation.sql
--! include functions/health/repair_stale_appointment.sql
--! include functions/health/repair_lapsed_hold.sql
--! include functions/health/repair_further_seat.sql
--! include functions/health/repair_waitlist_offer.sql
--! include functions/health/repair_slot_status.sql
--! include functions/health/repair_doctor_day.sql
--! include functions/health/repair_no_show_counts.sql
--! include functions/health/repair_patient_block.sql
--! include checks/appointments/active_appointment_on_available_slot.sql
--! include checks/appointments/appointment_of_missing_or_inactive_party.sql
--! include checks/appointments/appointment_without_slot.sql
--! include checks/appointments/delivery_to_somebody_else.sql
--! include checks/appointments/duplicate_appointment.sql
--! include checks/appointments/further_seat_of_inactive_appointment.sql
--! include checks/appointments/lapsed_hold.sql
--! include checks/appointments/no_show_log_mismatch.sql
--! include checks/appointments/open_consultation_without_visit.sql
--! include checks/appointments/overlapping_patient_appointments.sql
--! include checks/appointments/stale_active_appointment.sql
--! include checks/appointments/waitlist_offer_mismatch.sql
--! include checks/counters/daily_limit_exceeded.sql
--! include checks/counters/doctor_day_mismatch.sql
--! include checks/counters/full_slot_not_marked.sql
--! include checks/counters/over_capacity_slot.sql
--! include checks/counters/patient_block_mismatch.sql
--! include checks/counters/patient_no_show_count_mismatch.sql

reset role;
