import type { Queryable } from '../jobs.ts';
import { attachmentsFor, type LinkOptions, linksFor, withLinks } from './attachments.ts';
import type { EmailMessage } from './email.ts';
import type { Channel, Message } from './transport.ts';

/** What of a delivery becomes a message. */
export interface Composable {
  delivery_id: string;
  notification_id: string;
  address: string;
  title: string;
  body: string;
}

/**
 * The message that goes out for a delivery: the words of the notification, with links by mail and text
 * message, and with the visit as a calendar file by mail. The chat is for the staff and has neither.
 */
export async function compose(
  db: Queryable,
  links: LinkOptions,
  hospitalId: string,
  channel: Channel,
  delivery: Composable,
): Promise<EmailMessage | Message> {
  const { delivery_id: id, notification_id: notificationId, address: to, title, body } = delivery;
  if (channel === 'chat') return { id, to, subject: title, text: body };
  const text = withLinks(body, await linksFor(db, links, hospitalId, notificationId));
  if (channel === 'sms') return { id, to, subject: title, text };
  const attachments = await attachmentsFor(db, hospitalId, notificationId);
  return { id, to, subject: title, text, attachments };
}
