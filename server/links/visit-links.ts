import express, { type Request, type RequestHandler, type Router } from 'express';
import type { Pool } from 'pg';
import { type LinkPurpose, readLink, type VisitLink } from '../../platform/link-token.ts';
import type { Log } from '../../platform/log.ts';
import { withTransaction } from '../../platform/pool.ts';
import type { LinkSecret } from '../../platform/secrets.ts';
import type { ErrorCatalog } from '../auth/error-catalog.ts';
import { note } from '../log/request-facts.ts';
import { AddressLimit } from './address-limit.ts';
import { answerPage, explainOnPage } from './answer-page.ts';
import type { Page } from './page.ts';

export type VisitLinksOptions = {
  pool: Pool;
  /** All verify. */
  linkSecrets: readonly LinkSecret[];
  catalog: ErrorCatalog;
  log: Log;
  /** How often one address may ask within a minute; 60 unless told. */
  mostInAMinute?: number | undefined;
};

/** The visit of a link, with what its page shows. */
type LinkedVisit = {
  patientId: string;
  status: string;
  localStart: string;
  doctorName: string;
  locationName: string | null;
  hospitalName: string;
};

type Words = { ask: string; button: string; done: string; already: string; state: string };

const WORDS: Readonly<Record<LinkPurpose, Words>> = {
  confirm: {
    ask: 'Will you come to this appointment?',
    button: 'Yes, I will come',
    done: 'Thank you. Your appointment is confirmed.',
    already: 'Your appointment is already confirmed.',
    state: 'confirmed',
  },
  cancel: {
    ask: 'Do you want to cancel this appointment?',
    button: 'Cancel this appointment',
    done: 'Your appointment is cancelled.',
    already: 'Your appointment is already cancelled.',
    state: 'cancelled',
  },
};

/**
 * `GET /visit/<token>` shows what a signed link of a message would do; only `POST` does it, because
 * scanners of mail follow every link. Who holds the link acts as the visit's patient, without an account:
 * under app_patient, so that every rule for patients holds, and with a request id that begins with `link:`
 * in the audit. Plain HTML that needs no script.
 */
export function createVisitLinks(options: VisitLinksOptions): Router {
  const limit = new AddressLimit(options.mostInAMinute ?? 60);
  const router = express.Router({ caseSensitive: true, strict: true });
  const guard: RequestHandler = async (request, response, next) => {
    const wait = await limit.count(request.ip);
    if (wait !== null) {
      response.set('retry-after', String(wait));
      throw options.catalog.refusal('too_many_attempts', { retry_after_seconds: wait });
    }
    next();
  };
  router.get('/visit/:token', guard, async (request, response) => {
    const { link, visit } = await visitOf(request, options);
    answerPage(response, 200, pageToAsk(WORDS[link.purpose], visit));
  });
  router.post('/visit/:token', guard, async (request, response) => {
    if (!request.complete) response.set('connection', 'close'); // nothing that is sent is read
    const { link, visit } = await visitOf(request, options);
    const words = WORDS[link.purpose];
    const isDone = await follow(link, visit, request, options);
    const title = isDone ? words.done : words.already;
    answerPage(response, 200, { title, text: 'You can close this page.', facts: factsOf(visit) });
  });
  router.use('/visit', explainOnPage(options.log));
  return router;
}

async function visitOf(request: Request, { catalog, linkSecrets, pool }: VisitLinksOptions) {
  const link = readLink(String(request.params.token), linkSecrets);
  const visit = link && (await findVisit(pool, link, request.requestId));
  if (!link || !visit) throw catalog.refusal('visit_link_invalid');
  note(request, {
    hospitalId: link.hospitalId,
    actorRole: 'patient',
    entityType: 'appointment',
    entityId: link.appointmentId,
    details: { purpose: link.purpose },
  });
  return { link, visit };
}

async function findVisit(
  pool: Pool,
  link: VisitLink,
  requestId: string,
): Promise<LinkedVisit | undefined> {
  const settings = {
    role: 'app_login',
    'claims.role': 'anonymous',
    'claims.request_id': requestId,
  };
  const { rows } = await withTransaction(pool, settings, (client) =>
    client.query<LinkedVisit>(
      `select patient_id as "patientId", status, local_start as "localStart",
         doctor_name as "doctorName", location_name as "locationName", hospital_name as "hospitalName"
       from app_private.linked_visit(
         hospital_id => $1::uuid, appointment_id => $2::uuid, start_micros => $3::bigint)`,
      [link.hospitalId, link.appointmentId, String(link.startMicros)],
    ),
  );
  return rows[0];
}

/** Whether it is done now; false when it had been already. */
async function follow(
  link: VisitLink,
  { patientId }: LinkedVisit,
  request: Request,
  { log, pool }: VisitLinksOptions,
): Promise<boolean> {
  const requestId = `link:${request.requestId}`;
  note(request, { requestId });
  const settings = {
    role: 'app_patient',
    'claims.role': 'patient',
    'claims.hospital_id': link.hospitalId,
    'claims.account_id': '',
    'claims.doctor_id': '',
    'claims.patient_id': patientId,
    'claims.request_id': requestId,
  };
  const { rows } = await withTransaction(pool, settings, (client) =>
    client.query<{ isDone: boolean }>(
      `select app_private.follow_visit_link(
         appointment_id => $1::uuid, start_micros => $2::bigint,
         to_status => $3::app_public.appointment_status) as "isDone"`,
      [link.appointmentId, String(link.startMicros), WORDS[link.purpose].state],
    ),
  );
  const isDone = rows[0]?.isDone === true;
  log.info(
    { hospital_id: link.hospitalId, request_id: requestId, purpose: link.purpose, is_done: isDone },
    'a link was followed',
  );
  return isDone;
}

function pageToAsk(words: Words, visit: LinkedVisit): Page {
  const facts = factsOf(visit);
  if (visit.status === words.state)
    return { title: words.already, text: 'There is nothing to do.', facts };
  const isPossible = visit.status === 'scheduled' || visit.status === 'confirmed';
  if (isPossible) {
    const text = 'Nothing happens until you press the button.';
    return { title: words.ask, text, facts, button: words.button };
  }
  const state = visit.status.replaceAll('_', ' ');
  const text = `The appointment is ${state}. There is nothing to do here.`;
  return { title: 'Your appointment', text, facts };
}

function factsOf(visit: LinkedVisit): NonNullable<Page['facts']> {
  return [
    ['With', visit.doctorName],
    ['When', visit.localStart],
    ['Where', [visit.locationName, visit.hospitalName].filter(Boolean).join(', ')],
  ];
}
