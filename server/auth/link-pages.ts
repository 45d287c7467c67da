import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express';
import { describeForLog, Refusal, refusalFrom, unexpectedError } from '../errors.ts';
import { PAGE_HEADERS, type Page, pageOf } from '../links/page.ts';
import { readBody } from '../read-body.ts';
import { TooManyAttempts } from './limiter.ts';
import type { AuthParts } from './parts.ts';
import { PASSWORD_LENGTH } from './password-policy.ts';
import { acceptInvitation, findLink, type LinkPurpose, resetPassword } from './password-routes.ts';

const BODY_BYTES = 10 * 1_024;

type Words = { purpose: LinkPurpose; ask: string; button: string; done: string };

const WORDS: Readonly<Record<'invitation' | 'password', Words>> = {
  invitation: {
    purpose: 'invitation',
    ask: 'Choose a password for your account',
    button: 'Make my account',
    done: 'Your account is ready. You can log in now.',
  },
  password: {
    purpose: 'password_reset',
    ask: 'Choose a new password',
    button: 'Change my password',
    done: 'Your password is changed. You can log in with it now; whoever was logged in has been logged out.',
  },
};

/**
 * The pages that links of the login lead to: `GET /invitation/<token>` and `/password/<token>` ask for a
 * password, `POST` takes it, by the same steps as the routes under /auth. Plain HTML that needs no script;
 * the address is a secret, so it is neither stored nor passed on (see page.ts), and good once.
 */
export function createLinkPages(parts: AuthParts): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  for (const [path, words] of Object.entries(WORDS)) {
    router.get(`/${path}/:token`, ask(parts, words));
    router.post(`/${path}/:token`, take(parts, words));
    router.use(`/${path}`, explainError(parts));
  }
  return router;
}

function ask(parts: AuthParts, words: Words): RequestHandler {
  return async (request, response) => {
    await findLink(parts, request, words.purpose, tokenOf(request));
    answer(response, 200, formOf(words, `At least ${PASSWORD_LENGTH.least} characters.`));
  };
}

function take(parts: AuthParts, words: Words): RequestHandler {
  return async (request, response) => {
    const form = new URLSearchParams((await readBody(request, BODY_BYTES)).toString('utf8'));
    const password = form.get('password') ?? '';
    if (password.length > 4 * PASSWORD_LENGTH.most || password !== form.get('repeated')) {
      answer(response, 422, formOf(words, 'The two passwords are not the same. Type them again.'));
      return;
    }
    try {
      const follow = words.purpose === 'invitation' ? acceptInvitation : resetPassword;
      await follow(parts, request, tokenOf(request), password);
    } catch (error) {
      const refusal = refusalOf(error, parts);
      if (refusal?.extensions.scenario !== 'password_too_weak') throw error;
      const { message, extensions } = refusal;
      answer(response, 422, formOf(words, `${message} ${extensions.hint ?? ''}`));
      return;
    }
    answer(response, 200, { title: words.done, text: 'You can close this page.' });
  };
}

function tokenOf(request: Request): string {
  return String(request.params.token);
}

function formOf({ ask: title, button }: Words, text: string): Page {
  return {
    title,
    text,
    button,
    secrets: [
      ['password', 'Password'],
      ['repeated', 'The same once more'],
    ],
  };
}

function refusalOf(error: unknown, { catalog }: AuthParts): Refusal | null {
  if (error instanceof TooManyAttempts)
    return catalog.refusal('too_many_attempts', { retry_after_seconds: error.retryAfterSeconds });
  return error instanceof Refusal ? error : refusalFrom(error);
}

/** Refusals in the words of the catalog; what nobody foresaw with an id that the log has, too. */
function explainError(parts: AuthParts): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const refusal = refusalOf(error, parts) ?? unexpectedError(request.requestId);
    if (refusal.extensions.scenario === 'unexpected_error')
      parts.log.error(
        { error: describeForLog(error), error_id: request.requestId },
        'unexpected error',
      );
    if (error instanceof TooManyAttempts)
      response.set('retry-after', String(error.retryAfterSeconds));
    if (!request.complete) response.set('connection', 'close');
    answer(response, refusal.status, {
      title: refusal.message,
      text: refusal.extensions.hint ?? '',
    });
  };
}

function answer(response: Response, status: number, page: Page): void {
  response.set(PAGE_HEADERS);
  response.status(status).end(response.req.method === 'HEAD' ? undefined : pageOf(page));
}
