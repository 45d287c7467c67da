import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';

export const brokenAuditSeal: Damage = {
  check: 'broken_audit_seal',
  story: 'A hand rewrites an entry of the audit log that is sealed.',
  ends: 'told',
  async inflict(db, { hospitalId, doctorId }) {
    await sealAll(db, hospitalId);
    const { rows } = await unguarded(db, () =>
      db.query<{ id: string }>(
        `with changed as (
           update app_public.audit_entry set request_id = 'another'
           where hospital_id = $1 and record_id = $2 returning id
         )
         select distinct seal.id
         from changed
         join app_private.audit_seal_content as content
           on content.hospital_id = $1 and changed.id = any (content.entry_ids)
         join app_public.audit_seal as seal on seal.hospital_id = $1 and seal.id = content.seal_id`,
        [hospitalId, doctorId],
      ),
    );
    return rows.map(({ id }) => ({ entityType: 'audit_seal', entityId: id }));
  },
  // A person is erased, also from what is sealed.
  async nearMiss(db, { hospitalId, patientIds }) {
    await sealAll(db, hospitalId);
    await claim(db, 'admin', hospitalId);
    await db.query("select app_private.erase_person($1, $2, 'case 1')", [
      hospitalId,
      patientIds[1],
    ]);
    await claim(db, '', '');
    await sealAll(db, hospitalId);
  },
};

async function sealAll(db: ClientBase, hospitalId: string): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ count: number }>(
      'select app_private.seal_audit($1) as count',
      [hospitalId],
    );
    if (!rows[0]?.count) return;
  }
}

async function claim(db: ClientBase, role: string, hospitalId: string): Promise<void> {
  await db.query(
    "select set_config('claims.role', $1, true), set_config('claims.hospital_id', $2, true)",
    [role, hospitalId],
  );
}
