import type { ErrorRequestHandler, Response } from 'express';
import type { Log } from '../../platform/log.ts';
import { describeForLog, Refusal, refusalFrom, unexpectedError } from '../errors.ts';
import { noteRefusal } from '../log/request-facts.ts';
import { PAGE_HEADERS, type Page, pageOf } from './page.ts';

/** Answers with a page. */
export function answerPage(response: Response, status: number, page: Page): void {
  // Set before, so that the type is not guessed and no tag of the content is made.
  response.set(PAGE_HEADERS);
  response.status(status).end(response.req.method === 'HEAD' ? undefined : pageOf(page));
}

/** Shows refusals in the words of the catalog; what nobody foresaw with an id that the log has, too. */
export function explainOnPage(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const refusal = error instanceof Refusal ? error : refusalFrom(error);
    const told = refusal ?? unexpectedError(request.requestId);
    if (told.extensions.scenario === 'unexpected_error') {
      log.error({ error: describeForLog(error), error_id: request.requestId }, 'unexpected error');
    }
    noteRefusal(request, told);
    answerPage(response, told.status, { title: told.message, text: told.extensions.hint ?? '' });
  };
}
