import type { Damage } from '../../damage.ts';

export const missingGuard: Damage = {
  check: 'missing_guard',
  story:
    'Before a bulk load somebody drops the constraint against overlapping slots, switches off the trigger that admits appointments, and forgets both.',
  ends: 'told',
  async inflict(db) {
    await db.query(`
      alter table app_public.slot drop constraint slots_of_a_doctor_never_overlap;
      alter table app_public.appointment disable trigger appointment_is_admitted`);
    return [{ entityType: 'system', entityId: null }];
  },
  async nearMiss(db) {
    await db.query(`
      alter table app_public.appointment disable trigger appointment_is_admitted;
      alter table app_public.appointment enable trigger appointment_is_admitted;
      drop index app_public.read_notification_by_time`);
  },
};
