import type { Pool } from 'pg';
import { expect } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { createPool } from '../../platform/pool.ts';
import { attachmentsFor, linksFor, type VisitLinks } from '../../worker/transports/attachments.ts';
import type { Attachment } from '../../worker/transports/email.ts';
import { committedAs } from '../helpers/actors.ts';
import { type Appointment, book } from '../helpers/booking.ts';
import type { OpenHospital, TestHospital } from '../helpers/hospital.ts';
import { nth } from '../helpers/nth.ts';

export const LINK_SECRETS = [{ kid: 'test', secret: 'a secret of links that only tests know' }];
export const PUBLIC_URL = 'https://visits.example';

/** Books the slot of this number for the first patient, as reception, committed. */
export function bookSlot(
  pool: Pool,
  hospital: OpenHospital,
  slot: number,
  patient = 0,
): Promise<Appointment> {
  return committedAs(pool, hospital.receptionist, (db) =>
    book(db, { slotId: nth(hospital.slotIds, slot), patientId: nth(hospital.patientIds, patient) }),
  );
}

/** What goes with the last message about a visit, made as the worker makes it. */
export async function messageAbout(
  workerUrl: string,
  ownerPool: Pool,
  hospital: TestHospital,
  appointmentId: string,
): Promise<{ event: string; links: VisitLinks; attachments: Attachment[] }> {
  const { rows } = await ownerPool.query<{ id: string; event: string }>(
    'select id, event from app_public.notification where hospital_id = $1 and appointment_id = $2 order by id desc limit 1',
    [hospital.id, appointmentId],
  );
  const { id, event } = nth(rows, 0);
  const log = createLog({ name: 'test', level: 'silent' });
  const pool = createPool({ url: workerUrl, applicationName: 'test-message', log });
  try {
    const options = { publicUrl: PUBLIC_URL, linkSecrets: LINK_SECRETS };
    return {
      event,
      links: await linksFor(pool, options, hospital.id, id),
      attachments: await attachmentsFor(pool, hospital.id, id),
    };
  } finally {
    await pool.end();
  }
}

/** The path of a link on the server. */
export function pathOf(link: string | undefined): string {
  expect(link).toMatch(/^https:\/\/visits\.example\/visit\/[\w-]+$/);
  return String(link).slice(PUBLIC_URL.length);
}
