import type { Damage } from '../../damage.ts';

export const unenforcedForeignKey: Damage = {
  check: 'unenforced_foreign_key',
  story:
    'A foreign key is dropped for a load and added again without looking at the rows that are there.',
  ends: 'told',
  alsoFound: ['missing_guard'],
  async inflict(db) {
    await db.query(`${addAgain} not valid`);
    return [{ entityType: 'system', entityId: null }];
  },
  async nearMiss(db) {
    await db.query(
      `${addAgain} not valid; alter table app_public.location validate constraint location_of_a_hospital`,
    );
  },
};

const addAgain = `
  alter table app_public.location drop constraint location_of_a_hospital,
    add constraint location_of_a_hospital foreign key (hospital_id) references app_public.hospital (id)`;
