import type { Request, RequestHandler } from 'express';
import { refusalFrom } from '../errors.ts';
import { note } from '../log/request-facts.ts';
import { answerSession, logSession } from './answer-session.ts';
import { checkPassword } from './check-password.ts';
import { originOf } from './origin.ts';
import type { AuthParts } from './parts.ts';
import { createRefreshToken, readRefreshToken, type TokenReference } from './refresh-token.ts';
import {
  confirmationShape,
  disablingShape,
  enrolmentShape,
  readInput,
  secondFactorShape,
} from './requests.ts';
import type { Owner, Proof, Shown } from './second-factors.ts';

/** `POST /login/second-factor`: the challenge of a login and a code become a session. */
export function handleSecondFactor(parts: AuthParts): RequestHandler {
  const { catalog, secondFactors } = parts;
  return async (request, response) => {
    const input = await readInput(request, secondFactorShape, catalog);
    const challenge = await findChallenge(parts, request, input.challenge, 'second_factor');
    const token = createRefreshToken(challenge.owner.hospitalId);
    const session = await withCode(parts, request, challenge, input, (proof) =>
      secondFactors.pass(originOf(request), challenge.token, proof, token),
    );
    logSession(parts, request, session, 'logged in with a second factor');
    answerSession(parts, response, session, token.text);
  };
}

/** `POST /totp/enroll`: a new secret, shown this once. It counts for nothing until it is confirmed. */
export function handleEnrolment(parts: AuthParts): RequestHandler {
  const { accounts, catalog, secondFactors } = parts;
  return async (request, response) => {
    const input = await readInput(request, enrolmentShape, catalog);
    const origin = originOf(request);
    let owner: Owner;
    if ('challenge' in input) {
      ({ owner } = await findChallenge(parts, request, input.challenge, 'enrolment'));
    } else {
      owner = await checkPassword(parts, request, input.password);
    }
    const login = await accounts.findLogin(origin, owner.hospitalId, owner.accountId);
    const label = login ? `${login.email} (${login.hospital})` : '';
    response.json(await secondFactors.enrol(origin, owner, label));
  };
}

/** `POST /totp/confirm`: the first code. Answers the recovery codes, shown this once. */
export function handleConfirmation(parts: AuthParts): RequestHandler {
  const { catalog, log, secondFactors } = parts;
  return async (request, response) => {
    const input = await readInput(request, confirmationShape, catalog);
    const challenge =
      input.challenge === undefined
        ? null
        : await findChallenge(parts, request, input.challenge, 'enrolment');
    const owner = challenge?.owner ?? request.claims;
    if (owner === null) throw catalog.refusal('not_logged_in');
    const token = createRefreshToken(owner.hospitalId);
    const confirmed = await limited(parts, request, { owner, token: challenge?.token }, () =>
      secondFactors.confirm(
        originOf(request),
        owner,
        input.code,
        challenge && { challenge: challenge.token, token },
      ),
    );
    const { recoveryCodes, session } = confirmed;
    const fields = { account_id: owner.accountId, request_id: request.requestId };
    log.info(fields, 'second factor enabled');
    if (session === null) {
      response.json({ recoveryCodes });
      return;
    }
    logSession(parts, request, session, 'logged in after enrolment');
    answerSession(parts, response, session, token.text, { recoveryCodes });
  };
}

/** `POST /totp/disable`: by who is logged in, with password and code. */
export function handleDisabling(parts: AuthParts): RequestHandler {
  const { catalog, log, secondFactors } = parts;
  return async (request, response) => {
    const input = await readInput(request, disablingShape, catalog);
    const owner = await checkPassword(parts, request, input.password);
    await withCode(parts, request, { owner }, input, (proof) =>
      secondFactors.disable(originOf(request), owner, proof),
    );
    const fields = { account_id: owner.accountId, request_id: request.requestId };
    log.info(fields, 'second factor disabled');
    response.status(204).end();
  };
}

type Asked = { owner: Owner; token?: TokenReference | undefined };

async function findChallenge(
  { catalog, limiter, secondFactors }: AuthParts,
  request: Request,
  text: string,
  purpose: 'second_factor' | 'enrolment',
): Promise<{ owner: Owner; token: TokenReference }> {
  const address = limiter.address('link', request.ip);
  return limiter.attempt([address], async () => {
    const token = readRefreshToken(text);
    const accountId =
      token && (await secondFactors.findChallenge(originOf(request), token, purpose));
    if (token === null || accountId === null) {
      await limiter.fail(address);
      throw catalog.refusal('challenge_not_valid');
    }
    const { hospitalId } = token;
    note(request, { hospitalId, entityType: 'account', entityId: accountId });
    return { owner: { hospitalId, accountId }, token };
  });
}

/** Does `use` with what was shown, when it is right; counts it when it is wrong or was used before. */
function withCode<T>(
  parts: AuthParts,
  request: Request,
  asked: Asked,
  shown: Shown,
  use: (proof: Proof) => Promise<T>,
): Promise<T> {
  return limited(parts, request, asked, async () => {
    const proof = await parts.secondFactors.judge(originOf(request), asked.owner, shown);
    if (proof === null) return null;
    try {
      return { done: await use(proof) };
    } catch (error) {
      if (refusalFrom(error)?.extensions.scenario === 'second_factor_wrong') return null;
      throw error;
    }
  }).then(({ done }) => done);
}

/** Tries a code; null is a wrong one. Few tries an account, however many challenges there are. */
async function limited<T>(
  { catalog, limiter, log, secondFactors }: AuthParts,
  request: Request,
  { owner, token }: Asked,
  attempt: () => Promise<T | null>,
): Promise<T> {
  const subject = limiter.secondFactor(owner.hospitalId, owner.accountId);
  const result = await limiter.attempt([subject], async () => {
    const tried = await attempt();
    if (tried === null) await limiter.fail(subject);
    else await limiter.forgive(subject);
    return tried;
  });
  if (result !== null) return result;
  await secondFactors.recordFailure(originOf(request), owner, token);
  const fields = { account_id: owner.accountId, request_id: request.requestId };
  log.info(fields, 'a second factor was wrong');
  throw catalog.refusal('second_factor_wrong');
}
