import type { ClientBase } from 'pg';
import { unguarded } from '../../damage.ts';
import type { Subject } from '../../subject.ts';

/** As the relay does: takes the messages that say the hours of this doctor have just changed. */
export async function settleHours(
  db: ClientBase,
  { hospitalId, doctorId }: Subject,
): Promise<void> {
  await db.query(
    `delete from app_private.outbox
     where outbox.hospital_id = $1 and outbox.topic = 'schedule' and outbox.key = $2`,
    [hospitalId, doctorId],
  );
}

/** As the job that follows a change of hours does. */
export async function followHours(db: ClientBase, subject: Subject): Promise<void> {
  await db.query('select app_private.follow_schedule($1, $2)', [
    subject.hospitalId,
    subject.doctorId,
  ]);
  await settleHours(db, subject);
}

/** Changes a slot behind the back of every guard; `$1` and `$2` are the hospital and the slot. */
export async function changeSlot(
  db: ClientBase,
  { hospitalId, slotIds }: Subject,
  slotIndex: number,
  change: string,
): Promise<void> {
  await unguarded(db, () =>
    db.query(`update app_public.slot set ${change} where hospital_id = $1 and id = $2`, [
      hospitalId,
      slotIds[slotIndex],
    ]),
  );
}

/** Enters an absence for the day of a slot; returns it. */
export async function enterAbsence(
  db: ClientBase,
  subject: Subject,
  slotIndex: number,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.absence (hospital_id, doctor_id, type, first_day, last_day)
     select hospital_id, doctor_id, 'training', day, day
     from (
       select slot.*, (slot.starts_at at time zone $3)::date as day from app_public.slot
       where slot.hospital_id = $1 and slot.id = $2) as slot
     returning id`,
    [subject.hospitalId, subject.slotIds[slotIndex], subject.timeZone],
  );
  return rows[0]?.id ?? '';
}

/** Enters a holiday for the day of a slot; returns it. */
export async function enterHoliday(
  db: ClientBase,
  subject: Subject,
  slotIndex: number,
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into app_public.holiday (hospital_id, name, date)
     select hospital_id, 'Drill', (starts_at at time zone $3)::date from app_public.slot
     where hospital_id = $1 and id = $2
     returning id`,
    [subject.hospitalId, subject.slotIds[slotIndex], subject.timeZone],
  );
  return rows[0]?.id ?? '';
}

/** What a check has to say of one slot. */
export function slotNamed({ slotIds }: Subject, slotIndex: number) {
  return [{ entityType: 'slot', entityId: slotIds[slotIndex] ?? null }];
}
