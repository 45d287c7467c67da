import { type Damage, unguarded } from '../../damage.ts';
import { appointment, holdSeat } from '../../visit.ts';

/** A hold that nobody swept away. */
export const lapsedHold: Damage = {
  check: 'lapsed_hold',
  story: 'No worker ran for an hour after a patient did not confirm a held seat.',
  ends: 'repaired',
  alsoFound: ['audit_gap'],
  async inflict(db, subject) {
    const id = await holdSeat(db, subject, 0);
    await unguarded(db, () =>
      db.query(
        `update app_public.appointment
            set held_until = app_private.clock() - interval '1 hour',
                created_at = app_private.clock() - interval '2 hours'
          where id = $1`,
        [id],
      ),
    );
    return [appointment(id)];
  },
  async nearMiss(db, subject) {
    await holdSeat(db, subject, 0);
  },
};
