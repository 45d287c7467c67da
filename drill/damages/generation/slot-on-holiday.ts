import type { Damage } from '../../damage.ts';
import { changeSlot, enterHoliday, settleHours, slotNamed } from './hours.ts';

export const slotOnHoliday: Damage = {
  check: 'slot_on_holiday',
  story: 'A hand opens a slot that a holiday had closed.',
  ends: 'repaired',
  async inflict(db, subject) {
    await settleHours(db, subject);
    await enterHoliday(db, subject, 14);
    await changeSlot(db, subject, 14, 'holiday_id = null');
    return slotNamed(subject, 14);
  },
  async nearMiss(db, subject) {
    await settleHours(db, subject);
    await enterHoliday(db, subject, 14);
  },
};
