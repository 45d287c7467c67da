import type { Request, Response } from 'express';
import { note } from '../log/request-facts.ts';
import { ACCESS_TOKEN_SECONDS } from './access-token.ts';
import type { Challenge, Session } from './accounts.ts';
import type { AuthParts } from './parts.ts';

/** Logs that somebody got a session. */
export function logSession(
  parts: AuthParts,
  request: Request,
  session: Session,
  event: string,
): void {
  const { accountId, hospitalId, role, sessionId } = session;
  note(request, { hospitalId, actorAccountId: accountId, actorRole: role });
  parts.log.info(
    {
      account_id: accountId,
      hospital_id: hospitalId,
      role,
      session_id: sessionId,
      request_id: request.requestId,
    },
    event,
  );
}

/** Answers with a session, and with more where there is more to say. */
export function answerSession(
  { tokens }: AuthParts,
  response: Response,
  session: Session,
  refreshToken: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const { accountId, displayName, doctorId, email, hospitalId, patientId, role } = session;
  response.json({
    accessToken: tokens.sign(session),
    tokenType: 'Bearer',
    expiresIn: ACCESS_TOKEN_SECONDS,
    refreshToken,
    account: { id: accountId, hospitalId, email, displayName, role, doctorId, patientId },
    ...more,
  });
}

/** The refusal for a right password where more is needed: with the token to show it with. */
export function challengeRefusal({ catalog }: AuthParts, { challenge, purpose }: Challenge) {
  const scenario =
    purpose === 'enrolment' ? 'second_factor_enrolment_required' : 'second_factor_required';
  return catalog.refusal(scenario, { challenge, expires_in: 300 });
}
