import { createTransport } from 'nodemailer';
import type { Message, SendOutcome, Transport } from './transport.ts';

/** A file that goes with a mail. */
export interface Attachment {
  filename: string;
  contentType: string;
  content: string;
}

/** A mail; its id becomes its Message-ID. */
export interface EmailMessage extends Message {
  attachments?: Attachment[];
  /** Further headers; one that could break out of its line is left out. */
  headers?: Record<string, string>;
}

export type EmailTransport = Transport<EmailMessage>;

export interface EmailOptions {
  /**
   * `smtps://user:password@host:465`, or `smtp://…:587` with STARTTLS where it is offered. Where there is a
   * password it is required, but for a server on this machine; `?requireTLS=` true or false decides.
   */
  url: string;
  /** Sender, such as `Hospital <no-reply@hospital.example>`. */
  from: string;
  /** How long a server may be silent. */
  silenceMs?: number;
  /** Certificates that are trusted besides the known ones. */
  ca?: string;
}

const mostConnections = 8;
const mostMs = 60_000;

/** Sends text mails over a few connections that are kept open. */
export function createEmailTransport({
  url,
  from,
  silenceMs = 15_000,
  ca,
}: EmailOptions): EmailTransport {
  const pool = createTransport({
    ...optionsOf(url, ca),
    pool: true,
    maxConnections: mostConnections,
    maxMessages: 100,
    connectionTimeout: Math.min(silenceMs, 5_000),
    // Well before the silence that may be about a message: who never greets is not there at all.
    greetingTimeout: Math.min(silenceMs / 2, 5_000),
    dnsTimeout: Math.min(silenceMs, 5_000),
    socketTimeout: silenceMs,
    // Words come from people; none of them names a file or an address to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([a-z\d.-]+)>?\s*$/i.exec(from)?.[1] ?? 'localhost';
  return {
    async send({ id, to, subject, text, attachments = [], headers = {} }) {
      if (!isAddress(to))
        return { kind: 'rejected', reason: 'This is not an address.', isBadAddress: true };
      try {
        const { messageId } = await inTime(
          pool.sendMail({
            messageId: `<${id}@${domain}>`,
            from,
            // As an object it is one address, whatever it contains.
            to: { name: '', address: to },
            subject: oneLine(subject),
            text,
            headers: { ...safe(headers), 'Auto-Submitted': 'auto-generated' },
            attachments: attachments.map(({ filename, contentType, content }) => ({
              filename: oneLine(filename),
              contentType,
              content,
            })),
          }),
        );
        return { kind: 'sent', reference: messageId };
      } catch (error) {
        return outcomeOf(error as SmtpError);
      }
    },
    async close() {
      pool.close();
    },
  };
}

// By hand, because nodemailer reads its options out of a URL as well, and the log of an option that it
// does not know would show the password.
function optionsOf(url: string, ca: string | undefined) {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const secure = protocol === 'smtps:';
  const needsTls = username !== '' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: (searchParams.get('requireTLS') ?? String(needsTls)) === 'true',
    tls: { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) },
    ...(username
      ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }
      : {}),
  };
}

// A server that says a byte now and then is never silent.
async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('took too long')), mostMs);
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

type SmtpError = Error & {
  code?: string;
  command?: string;
  syscall?: string;
  responseCode?: number;
  response?: string;
};

function outcomeOf(error: SmtpError): SendOutcome {
  const { code = '', command = '', responseCode = 0 } = error;
  const reason = reasonOf(error);
  if (command === 'RCPT TO' && responseCode >= 500)
    return { kind: 'rejected', reason, isBadAddress: isNoSuchAddress(error) };
  if (command === 'DATA' && responseCode >= 500) return { kind: 'rejected', reason };
  // What breaks off after the greeting may be about this message alone.
  const isLost =
    ['read', 'write'].includes(error.syscall ?? '') ||
    /^(Timeout$|Connection closed|Server closed the connection)/.test(error.message) ||
    error.message === 'took too long';
  if (isLost && responseCode !== 421) return { kind: 'failed', reason, isDown: false, isLost };
  // 421: it is about to close. What the server holds against the sender or the login, it holds against
  // every message; so does a server that cannot be found, reached or trusted.
  const isDown =
    responseCode === 421 ||
    (command === 'MAIL FROM' && responseCode >= 500) ||
    command === 'CONN' ||
    ['EAUTH', 'EDNS', 'ETLS', 'ENOAUTH', 'EREQUIRETLS'].includes(code) ||
    command.startsWith('AUTH') ||
    command === 'STARTTLS' ||
    command === 'EHLO' ||
    command === 'HELO';
  return { kind: 'failed', reason, isDown };
}

// The enhanced code says what is wrong (RFC 3463): 5.1 the address, 5.2 a mailbox that is full or closed
// for now, 5.7 a policy. Without one, the plain codes for an unknown mailbox do.
function isNoSuchAddress({ response = '', responseCode = 0 }: SmtpError): boolean {
  const [, subject] = /^\d{3}[ -]5\.(\d{1,3})\.\d{1,3}/.exec(response) ?? [];
  return subject === undefined ? [550, 551, 553].includes(responseCode) : subject === '1';
}

/** What the server said, in one line, without addresses. */
function reasonOf({ code, command, message, response }: SmtpError): string {
  const words = oneLine(response ?? message).replace(/[^\s<>"'(]+@[^\s<>"'),;:]+/g, '(address)');
  const where = [code, command].filter(Boolean).join(', ');
  return `${words}${where ? ` (${where})` : ''}`.slice(0, 400);
}

function isAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[^\s\p{Cc}@<>,;:"()[\]\\]+@[^\s\p{Cc}@<>,;:"()[\]\\]+$/u.test(text)
  );
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

function safe(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => /^[A-Za-z\d-]+$/.test(name) && !/\p{Cc}/u.test(value),
    ),
  );
}
