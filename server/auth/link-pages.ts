import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Router,
} from 'express';
import { Refusal } from '../errors.ts';
import { answerPage, explainOnPage } from '../links/answer-page.ts';
import type { Page } from '../links/page.ts';
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
    router.use(`/${path}`, tellTries(parts), explainOnPage(parts.log));
  }
  return router;
}

function ask(parts: AuthParts, words: Words): RequestHandler {
  return async (request, response) => {
    await findLink(parts, request, words.purpose, tokenOf(request));
    answerPage(response, 200, formOf(words, `At least ${PASSWORD_LENGTH.least} characters.`));
  };
}

function take(parts: AuthParts, words: Words): RequestHandler {
  return async (request, response) => {
    const form = new URLSearchParams((await readBody(request, BODY_BYTES)).toString('utf8'));
    const password = form.get('password') ?? '';
    if (password.length > 4 * PASSWORD_LENGTH.most || password !== form.get('repeated')) {
      answerPage(
        response,
        422,
        formOf(words, 'The two passwords are not the same. Type them again.'),
      );
      return;
    }
    try {
      const follow = words.purpose === 'invitation' ? acceptInvitation : resetPassword;
      await follow(parts, request, tokenOf(request), password);
    } catch (error) {
      const isWeak = error instanceof Refusal && error.extensions.scenario === 'password_too_weak';
      if (!isWeak) throw error;
      const { message, extensions } = error;
      answerPage(response, 422, formOf(words, `${message} ${extensions.hint ?? ''}`));
      return;
    }
    answerPage(response, 200, { title: words.done, text: 'You can close this page.' });
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

/** What login throws besides refusals, as one; a body that was not read closes the connection. */
function tellTries({ catalog }: AuthParts): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (!request.complete) response.set('connection', 'close');
    if (!(error instanceof TooManyAttempts)) return next(error);
    response.set('retry-after', String(error.retryAfterSeconds));
    next(catalog.refusal('too_many_attempts', { retry_after_seconds: error.retryAfterSeconds }));
  };
}
