import { createHash } from 'node:crypto';
import express, { type Request, type Response, type Router } from 'express';
import type { Pool } from 'pg';
import { type CalendarVisit, calendarOf } from '../../platform/calendar/appointment-calendar.ts';
import { withTransaction } from '../../platform/pool.ts';
import { type Claims, claimsToSettings, type Role } from '../auth/claims.ts';
import { AddressLimit } from '../links/address-limit.ts';
import { note } from '../log/request-facts.ts';

export type CalendarFeedsOptions = {
  pool: Pool;
  /** How often one address may ask within a minute; 300 unless told, because whole hospitals share one. */
  mostInAMinute?: number | undefined;
  /** How often it may ask for calendars that are not there; 20 unless told. */
  mostMissesInAMinute?: number | undefined;
};

/** The secret of a feed: the hospital and 256 random bits, 48 bytes in all. */
const TOKEN = /^([\w-]{64})\.ics$/;

const REFRESH_SECONDS = 15 * 60;

/**
 * `GET /calendar/<token>.ics`: the visits of an account, for calendar programs. The token is looked up by
 * its hash; a calendar that never was, was revoked or whose account is not active is one and the same 404.
 * What it shows is read under the account's own role and row-level security.
 */
export function createCalendarFeeds(options: CalendarFeedsOptions): Router {
  const requests = new AddressLimit(options.mostInAMinute ?? 300);
  const misses = new AddressLimit(options.mostMissesInAMinute ?? 20);
  const router = express.Router({ caseSensitive: true, strict: true });
  router.get('/calendar/:file', async (request, response) => {
    response.set({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex, nofollow',
    });
    const wait = (await requests.count(request.ip)) ?? (await misses.waitOf(request.ip));
    if (wait !== null) return tellToWait(response, wait);
    const claims = await claimsOf(request, options.pool);
    if (claims === null) {
      await misses.count(request.ip);
      return tellNothing(response);
    }
    const { accountId, hospitalId, role } = claims;
    note(request, { hospitalId, actorAccountId: accountId, actorRole: role });
    await sendCalendar(request, response, options.pool, claims);
  });
  return router;
}

function tellToWait(response: Response, seconds: number): void {
  response.status(429).set({ 'retry-after': String(seconds), 'cache-control': 'no-store' });
  response.type('text/plain').send('Too many attempts.\n');
}

function tellNothing(response: Response): void {
  response.status(404).set('cache-control', 'no-store');
  response.type('text/plain').send('There is no such calendar.\n');
}

async function sendCalendar(
  request: Request,
  response: Response,
  pool: Pool,
  claims: Claims,
): Promise<void> {
  const visits = await visitsOf(pool, claims, request.requestId);
  const text = calendarOf(visits, { refreshEverySeconds: REFRESH_SECONDS });
  response.set({
    'content-type': 'text/calendar; charset=utf-8',
    'content-disposition': 'inline; filename="appointments.ics"',
    'cache-control': 'private, max-age=300',
    etag: `"${createHash('sha256').update(text).digest('base64url')}"`,
  });
  response.send(text); // answers 304 to who has this tag already
}

async function claimsOf(request: Request, pool: Pool): Promise<Claims | null> {
  const token = TOKEN.exec(String(request.params.file))?.[1];
  if (token === undefined) return null;
  const bytes = Buffer.from(token, 'base64url');
  const hospitalId = bytes
    .toString('hex', 0, 16)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const settings = {
    role: 'app_login',
    'claims.role': 'anonymous',
    'claims.request_id': request.requestId,
  };
  const { rows } = await withTransaction(pool, settings, (client) =>
    client.query<{
      accountId: string;
      role: Role;
      doctorId: string | null;
      patientId: string | null;
    }>(
      `select account_id as "accountId", role, doctor_id as "doctorId", patient_id as "patientId"
       from app_private.find_calendar_feed(hospital_id => $1::uuid, token_hash => $2::bytea)`,
      [hospitalId, createHash('sha256').update(bytes).digest()],
    ),
  );
  const [account] = rows;
  return account === undefined ? null : { ...account, hospitalId, sessionId: '' };
}

type VisitRow = Omit<CalendarVisit, 'isCancelled' | 'summary' | 'location'> & {
  status: string;
  withWhom: string | null;
  locationName: string | null;
  hospitalName: string;
};

async function visitsOf(pool: Pool, claims: Claims, requestId: string): Promise<CalendarVisit[]> {
  const { rows } = await withTransaction(pool, claimsToSettings(claims, requestId), (client) =>
    client.query<VisitRow>(
      `select appointment_id as "appointmentId", status, starts_at as "startsAt", ends_at as "endsAt",
         changed_at as "changedAt", move_count as "moveCount", with_whom as "withWhom",
         location_name as "locationName", hospital_name as "hospitalName",
         hospital_slug as "hospitalSlug"
       from app_private.calendar_visits()`,
    ),
  );
  const what = claims.role === 'doctor' ? 'Visit:' : 'Appointment with';
  return rows.map(({ status, withWhom, locationName, hospitalName, ...visit }) => ({
    ...visit,
    isCancelled: status === 'cancelled',
    summary: `${what} ${withWhom ?? ''}`.trim(),
    location: [locationName, hospitalName].filter(Boolean).join(', '),
  }));
}
