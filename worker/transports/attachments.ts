import { type CalendarVisit, calendarOf } from '../../platform/calendar/appointment-calendar.ts';
import { type LinkPurpose, signLink } from '../../platform/link-token.ts';
import type { LinkSecret } from '../../platform/secrets.ts';
import type { Queryable } from '../jobs.ts';
import type { Attachment } from './email.ts';

/** What links are made of. */
export interface LinkOptions {
  /** Base of all addresses, without a slash at its end. */
  publicUrl: string;
  /** The first signs. */
  linkSecrets: readonly LinkSecret[];
}

/** Links for the patient of a visit; what is not possible any more has none. */
export interface VisitLinks {
  confirm?: string;
  cancel?: string;
}

/** After these messages the patient is expected, and has the visit in hand. */
const EXPECTED: readonly string[] = [
  'appointment_booked',
  'appointment_moved',
  'appointment_reminder',
  'request_accepted',
];
/** After these the visit leaves the patient's calendar. */
const ENDED: readonly string[] = [
  'appointment_cancelled',
  'doctor_emergency',
  'doctor_unavailable',
];
const COMING: readonly string[] = ['scheduled', 'confirmed'];

/**
 * The calendar file of a message to a patient about a visit, as the visit is now: a message that was
 * delayed until after a move or a cancellation tells of that. None for other messages.
 */
export async function attachmentsFor(
  db: Queryable,
  hospitalId: string,
  notificationId: string,
): Promise<Attachment[]> {
  const visit = await visitOf(db, hospitalId, notificationId);
  if (visit === undefined || ![...EXPECTED, ...ENDED].includes(visit.event)) return [];
  const isCancelled = visit.status === 'cancelled';
  if (!isCancelled && !COMING.includes(visit.status)) return [];
  const entry: CalendarVisit = {
    appointmentId: visit.appointmentId,
    hospitalSlug: visit.hospitalSlug,
    startsAt: visit.startsAt,
    endsAt: visit.endsAt,
    changedAt: visit.changedAt,
    moveCount: visit.moveCount,
    isCancelled,
    summary: `Appointment with ${visit.doctorName}`,
    location: [visit.locationName, visit.hospitalName].filter(Boolean).join(', '),
  };
  return [
    {
      filename: 'appointment.ics',
      contentType: 'text/calendar; charset=utf-8; method=PUBLISH',
      content: calendarOf([entry]),
    },
  ];
}

/** The links of a message to a patient about a visit that lies ahead; none for other messages. */
export async function linksFor(
  db: Queryable,
  { publicUrl, linkSecrets }: LinkOptions,
  hospitalId: string,
  notificationId: string,
): Promise<VisitLinks> {
  const visit = await visitOf(db, hospitalId, notificationId);
  if (visit === undefined || !EXPECTED.includes(visit.event)) return {};
  if (!visit.isAhead || !COMING.includes(visit.status)) return {};
  const link = (purpose: LinkPurpose) => {
    const startMicros = BigInt(visit.startMicros);
    const { appointmentId } = visit;
    const token = signLink({ purpose, hospitalId, appointmentId, startMicros }, linkSecrets);
    return `${publicUrl}/visit/${token}`;
  };
  return {
    ...(visit.status === 'scheduled' ? { confirm: link('confirm') } : null),
    cancel: link('cancel'),
  };
}

/** A message with its links below, each on a line of its own, where no program breaks it. */
export function withLinks(text: string, { confirm, cancel }: VisitLinks): string {
  return [
    text,
    ...(confirm === undefined ? [] : [`Confirm that you will come:\n${confirm}`]),
    ...(cancel === undefined ? [] : [`Cancel the appointment:\n${cancel}`]),
  ].join('\n\n');
}

interface Visit {
  event: string;
  appointmentId: string;
  status: string;
  startsAt: Date;
  endsAt: Date;
  /** A bigint, which the driver hands over as text. */
  startMicros: string;
  isAhead: boolean;
  changedAt: Date;
  moveCount: number;
  doctorName: string;
  locationName: string | null;
  hospitalName: string;
  hospitalSlug: string;
}

async function visitOf(
  db: Queryable,
  hospitalId: string,
  notificationId: string,
): Promise<Visit | undefined> {
  const { rows } = await db.query<Visit>(
    `select event, appointment_id as "appointmentId", status, starts_at as "startsAt",
       ends_at as "endsAt", start_micros as "startMicros", is_ahead as "isAhead",
       changed_at as "changedAt", move_count as "moveCount", doctor_name as "doctorName",
       location_name as "locationName", hospital_name as "hospitalName", hospital_slug as "hospitalSlug"
     from app_private.visit_of_notification(hospital_id => $1::uuid, notification_id => $2::uuid)`,
    [hospitalId, notificationId],
  );
  return rows[0];
}
