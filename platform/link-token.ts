import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LinkSecret } from './secrets.ts';

/** What a link in a message is for; the server does this and nothing else for its holder. */
export type LinkPurpose = 'confirm' | 'cancel';

/** What a link stands for. */
export type VisitLink = {
  purpose: LinkPurpose;
  hospitalId: string;
  appointmentId: string;
  /** Start of the visit that it was made for, in microseconds since 1970: it dies with a move. */
  startMicros: bigint;
};

const VERSION = 1;
const PURPOSES: readonly LinkPurpose[] = ['confirm', 'cancel'];
const HEAD_BYTES = 42; // version, purpose, hospital, appointment, start
const MAC_BYTES = 32;
const FORM = /^[\w-]{100,200}$/;
// What is signed begins with these words, so that no other signature of these keys is a link.
const CONTEXT = 'slotkeeper visit link\n';

/**
 * The token of a link: what it is for, the name of the key (of at most 64 bytes), and an HMAC-SHA256 over
 * both by the first key. Ids only: nothing in it tells of a patient. It expires with the visit's start,
 * which the database judges by its own clock.
 */
export function signLink(link: VisitLink, secrets: readonly LinkSecret[]): string {
  const [key] = secrets;
  if (key === undefined) throw new Error('There is no key to sign links with.');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUInt8(PURPOSES.indexOf(link.purpose), 1);
  writeId(head, link.hospitalId, 2);
  writeId(head, link.appointmentId, 18);
  head.writeBigInt64BE(link.startMicros, 34);
  const body = Buffer.concat([head, Buffer.from(key.kid)]);
  return Buffer.concat([body, macOf(body, key.secret)]).toString('base64url');
}

/** What a token stands for, or null when none of these keys signed it. */
export function readLink(token: string, secrets: readonly LinkSecret[]): VisitLink | null {
  if (!FORM.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  // One spelling a link: the spare bits of the last letter are not free.
  if (bytes.toString('base64url') !== token || bytes.length <= HEAD_BYTES + MAC_BYTES) return null;
  const body = bytes.subarray(0, -MAC_BYTES);
  const kid = body.subarray(HEAD_BYTES).toString();
  const key = secrets.find((each) => each.kid === kid);
  if (key === undefined) return null;
  if (!timingSafeEqual(macOf(body, key.secret), bytes.subarray(-MAC_BYTES))) return null;
  const purpose = PURPOSES[body.readUInt8(1)];
  if (body.readUInt8(0) !== VERSION || purpose === undefined) return null;
  return {
    purpose,
    hospitalId: readId(body, 2),
    appointmentId: readId(body, 18),
    startMicros: body.readBigInt64BE(34),
  };
}

function macOf(body: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(CONTEXT).update(body).digest();
}

function writeId(target: Buffer, id: string, offset: number): void {
  if (target.write(id.replaceAll('-', ''), offset, 16, 'hex') !== 16) {
    throw new Error('An id of a link is not a uuid.');
  }
}

function readId(source: Buffer, offset: number): string {
  return source
    .toString('hex', offset, offset + 16)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
