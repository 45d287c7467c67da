import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { type Damage, unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';

export const halfAppliedImport: Damage = {
  check: 'half_applied_import',
  story: 'A restore brings an import back without one of its rows.',
  ends: 'reviewed',
  async inflict(db, subject) {
    const runId = await imported(db, subject);
    await unguarded(db, () =>
      db.query(
        'delete from app_public.imported_row where hospital_id = $1 and run_id = $2 and row_number = 3',
        [subject.hospitalId, runId],
      ),
    );
    return [{ entityType: 'import_run', entityId: runId }];
  },
  async nearMiss(db, subject) {
    await imported(db, subject);
  },
};

/** An import of the two patients. */
async function imported(db: ClientBase, { hospitalId, patientIds }: Subject): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `with run as (
       insert into app_public.import_run (hospital_id, kind, row_count, fingerprint)
       values ($1, 'patients', 2, $2) returning hospital_id, id
     ), brought as (
       insert into app_public.imported_row (hospital_id, run_id, row_number, record_id)
       select run.hospital_id, run.id, patient.number + 1, patient.id
       from run cross join unnest($3::uuid[]) with ordinality as patient (id, number)
     )
     select id from run`,
    [hospitalId, randomUUID(), patientIds],
  );
  const [run] = rows;
  if (run === undefined) throw new Error('Nothing was imported.');
  return run.id;
}
