import type { Damage } from '../../damage.ts';

export const undeclaredAccess: Damage = {
  check: 'undeclared_access',
  story:
    'To find an error somebody lets doctors read every patient of every hospital, with a policy of their own.',
  ends: 'told',
  async inflict(db) {
    await db.query(
      'create policy doctors_look_for_an_error on app_public.patient for select to app_doctor using (true)',
    );
    return [{ entityType: 'system', entityId: null }];
  },
  async nearMiss(db) {
    await db.query(`
      create schema reports;
      create table reports.monthly (visits integer);
      grant usage on schema reports to app_monitor;
      grant select on reports.monthly to app_monitor`);
  },
};
