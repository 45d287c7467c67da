-- The waitlist: who waits for a seat, and the seats that are offered in the wake of those that become free.

set local role app_owner;

alter table app_public.waitlist_offer
  add constraint a_patient_answers_one_offer_at_a_time exclude using btree (
    hospital_id with =, patient_id with =
  ) where (outcome = 'open');
create index waitlist_of_a_patient on app_public.waitlist_entry (hospital_id, patient_id, id);
create index offer_to_a_patient_in_order on app_public.waitlist_offer (hospital_id, patient_id, id);

--! include catalog/error_catalog.sql
--! include policies/waitlist_entry.sql
--! include policies/waitlist_offer.sql
--! include functions/foundation/keep_columns.sql
--! include functions/audit/record_audit.sql
--! include functions/waitlist/admit_waitlist_entry.sql
--! include functions/waitlist/announce_waitlist_entry.sql
--! include functions/waitlist/change_waitlist_status.sql
--! include functions/waitlist/admit_offer.sql
--! include functions/waitlist/decide_offer.sql
--! include functions/waitlist/carry_offer.sql
--! include functions/waitlist/answer_offer.sql
--! include functions/waitlist/announce_left_slot.sql
--! include functions/waitlist/waits_for_doctor.sql
--! include functions/waitlist/materialise_waited_days.sql
--! include functions/waitlist/free_seats_between.sql
--! include functions/waitlist/plan_offers.sql
--! include functions/waitlist/offer_seat.sql
--! include functions/waitlist/slots_of_offers.sql
--! include functions/waitlist/offer_free_seats.sql
--! include functions/waitlist/doctors_waited_for.sql
--! include functions/waitlist/expire_waits.sql
--! include functions/waitlist/refuse_unreachable_entry.sql
--! include functions/waitlist/join_waitlist.sql
--! include functions/waitlist/leave_waitlist.sql
--! include functions/waitlist/waits_before.sql
--! include functions/waitlist/waitlist_position.sql

reset role;
