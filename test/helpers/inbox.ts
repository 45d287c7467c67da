import type { ClientBase } from 'pg';
import { aside } from './actors.ts';
import { one } from './booking.ts';
import type { Actor } from './hospital.ts';

/** A row of app_public.notification, as far as tests look at it. */
export type Notification = {
  id: string;
  patient_id: string | null;
  doctor_id: string | null;
  account_id: string | null;
  event: string;
  priority: string;
  channels: string[];
  title: string;
  body: string;
  appointment_id: string | null;
  read_at: Date | null;
};

/** Whose inbox a notification goes to. */
export type Reader = Partial<Record<'patient_id' | 'doctor_id' | 'account_id', string>>;

/** The inbox that an actor may read. */
export function readerOf({ role, patientId, doctorId, accountId }: Actor): Reader {
  if (role === 'patient') return { patient_id: patientId ?? '' };
  if (role === 'doctor') return { doctor_id: doctorId ?? '' };
  return { account_id: accountId };
}

/** Everything that was told since `since` in the hospital, oldest first, whoever acts in `db`. */
export async function notificationsIn(
  db: ClientBase,
  hospitalId: string,
  since = '00000000-0000-0000-0000-000000000000',
): Promise<Notification[]> {
  const { rows } = await aside(db, () =>
    db.query<Notification>(
      'select * from app_public.notification where hospital_id = $1 and id > $2 order by id',
      [hospitalId, since],
    ),
  );
  return rows;
}

/** Leaves a notification in an inbox, as a flow would. */
export function leave(
  db: ClientBase,
  hospitalId: string,
  reader: Reader,
  values: { appointment_id?: string; read_at?: Date | string; title?: string } = {},
): Promise<Notification> {
  const { appointment_id = null, read_at = null, title = 'News' } = values;
  return aside(db, () =>
    one<Notification>(
      db,
      `insert into app_public.notification (hospital_id, patient_id, doctor_id, account_id, event,
         priority, channels, title, body, appointment_id, created_at, read_at)
       values ($1, $2, $3, $4, 'appointment_booked', 'normal', '{in_app}', $5, 'Text.', $6,
         app_private.clock(), $7)
       returning *`,
      [
        hospitalId,
        reader.patient_id ?? null,
        reader.doctor_id ?? null,
        reader.account_id ?? null,
        title,
        appointment_id,
        read_at,
      ],
    ),
  );
}
