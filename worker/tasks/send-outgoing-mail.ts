import type { Task } from './task.ts';

const atOnce = 20;

type Mail = { id: string; address: string; subject: string; body: string };

/**
 * Sends the mails of the login that are due. A mail is taken for a few minutes, sent under its own id and
 * settled; the database counts tries and empties its text. Without a transport nothing is sent, and that is
 * said; what is too old by then is given up.
 */
export const sendOutgoingMail: Task<'send_outgoing_mail'> = async (
  { hospital_id },
  { db, links, log, transports },
) => {
  const transport = transports.email;
  const claim = async (most: number): Promise<Mail[]> => {
    const { rows } = await db.query<Mail>(
      `select id, address, subject, body
         from app_private.claim_mail(hospital_id => $1::uuid, most => $2::integer)`,
      [hospital_id, most],
    );
    return rows;
  };
  if (transport === undefined) {
    await claim(0);
    if (transports.isNewsThatMissing('email')) {
      log.warn('there is no mail server: mails of the login wait, and are given up in time');
    }
    return;
  }
  for (let mails = await claim(atOnce); mails.length > 0; mails = await claim(atOnce)) {
    for (const { address, body, id, subject } of mails) {
      const text = body.replaceAll('{public_url}', links.publicUrl);
      const outcome = await transport.send({ id, to: address, subject, text });
      const error = outcome.kind === 'sent' ? null : outcome.reason;
      await db.query(
        `select app_private.settle_mail(
           hospital_id => $1::uuid, id => $2::uuid, outcome => $3::text, error => $4::text)`,
        [hospital_id, id, outcome.kind, error],
      );
      log.info({ hospital_id, mail_id: id, outcome: outcome.kind }, 'mail of the login');
    }
  }
};
