-- The walls and the ways in: functions and triggers, access rules, and the catalogs of refusals and
-- of the states of an appointment. What sql/ says is what runs.

set local role app_owner;

--!include catalog/error_catalog.sql
--!include catalog/appointment_transition.sql

--!include functions/foundation/guard_tenant.sql
--!include functions/foundation/keep_columns.sql
--!include functions/foundation/request_hospital_id.sql

--!include functions/audit/keep_audit.sql
--!include functions/audit/record_audit.sql

--!include functions/identity/announce_session_end.sql
--!include functions/identity/create_patient.sql
--!include functions/identity/current_account.sql
--!include functions/identity/end_session.sql
--!include functions/identity/end_sessions_of_account.sql
--!include functions/identity/ended_sessions.sql
--!include functions/identity/find_credentials.sql
--!include functions/identity/guard_time_zone.sql
--!include functions/identity/open_session.sql
--!include functions/identity/record_failed_login.sql
--!include functions/identity/register_patient.sql
--!include functions/identity/remove_old_sessions.sql
--!include functions/identity/rotate_session.sql

--!include functions/jobs/claim_outbox.sql
--!include functions/jobs/record_heartbeat.sql
--!include functions/jobs/retire_worker.sql
--!include functions/jobs/unlock_dead_workers.sql

--!include functions/scheduling/announce_schedule.sql
--!include functions/scheduling/follow_daily_limit.sql
--!include functions/scheduling/hours_of_day.sql

--!include functions/slots/announce_slot.sql
--!include functions/slots/block_slot.sql
--!include functions/slots/extend_slot_horizon.sql
--!include functions/slots/free_slots.sql
--!include functions/slots/generate_slots.sql
--!include functions/slots/refuse_unreachable_slot.sql
--!include functions/slots/request_slots.sql
--!include functions/slots/unblock_slot.sql

--!include functions/booking/admit_appointment.sql
--!include functions/booking/announce_appointment.sql
--!include functions/booking/book_appointment.sql
--!include functions/booking/cancel_appointment.sql
--!include functions/booking/change_appointment_status.sql
--!include functions/booking/check_in_appointment.sql
--!include functions/booking/complete_appointment.sql
--!include functions/booking/confirm_appointment.sql
--!include functions/booking/confirm_hold.sql
--!include functions/booking/expire_lapsed_holds.sql
--!include functions/booking/explain_booking.sql
--!include functions/booking/guard_hold.sql
--!include functions/booking/guard_is_held.sql
--!include functions/booking/guard_transition.sql
--!include functions/booking/hold_slot.sql
--!include functions/booking/judge_booking.sql
--!include functions/booking/keep_appointment.sql
--!include functions/booking/keep_counters.sql
--!include functions/booking/lapsed_holds.sql
--!include functions/booking/lock_seats.sql
--!include functions/booking/move_appointment.sql
--!include functions/booking/place_appointment.sql
--!include functions/booking/refuse_booking.sql
--!include functions/booking/refuse_unreachable_appointment.sql
--!include functions/booking/release_seat.sql
--!include functions/booking/replayed_appointment.sql
--!include functions/booking/request_fingerprint.sql
--!include functions/booking/reschedule_appointment.sql
--!include functions/booking/seat_appointment.sql
--!include functions/booking/take_seat.sql
--!include functions/booking/transit_appointment.sql
--!include functions/booking/witness_move.sql

--!include policies/account.sql
--!include policies/appointment.sql
--!include policies/appointment_move.sql
--!include policies/appointment_transition.sql
--!include policies/audit_entry.sql
--!include policies/doctor.sql
--!include policies/doctor_day.sql
--!include policies/hospital.sql
--!include policies/location.sql
--!include policies/outbox.sql
--!include policies/patient.sql
--!include policies/rate_limit.sql
--!include policies/schedule.sql
--!include policies/service.sql
--!include policies/slot.sql
--!include policies/worker_heartbeat.sql

reset role;
