import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** A key that secrets at rest are sealed with; `kid` names it in what is sealed. */
export type DataKey = { kid: string; secret: string };

const VERSION = 'v1';
const FORM = /^v1\.(.+)\.([\w-]+)$/;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a text with the first key (AES-256-GCM): `v1.<kid>.<nonce, text and tag>`. The context, such as
 * whose the secret is, is bound to it: moved elsewhere, it does not open.
 */
export function seal(keys: readonly DataKey[], text: string, context: string): string {
  const [key] = keys;
  if (key === undefined) throw new Error('There is no key to seal secrets with.');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', bytesOf(key), nonce);
  cipher.setAAD(boundTo(key.kid, context));
  const sealed = Buffer.concat([
    nonce,
    cipher.update(text, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `${VERSION}.${key.kid}.${sealed.toString('base64url')}`;
}

/** Opens what was sealed for this context with any of the keys. Throws, and never says what was in it. */
export function open(keys: readonly DataKey[], sealed: string, context: string): string {
  const [, kid = '', content = ''] = FORM.exec(sealed) ?? [];
  const key = keys.find((each) => each.kid === kid);
  if (key === undefined) throw new Error('A secret was sealed with a key that is not configured.');
  const bytes = Buffer.from(content, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', bytesOf(key), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(kid, context));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
    return decipher.update(text, undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new Error('A sealed secret is damaged, or was sealed for something else.');
  }
}

/** Whether it was sealed with another key than the first: to be sealed anew when keys rotate. */
export function isSealedWithOldKey(keys: readonly DataKey[], sealed: string): boolean {
  return FORM.exec(sealed)?.[1] !== keys[0]?.kid;
}

function bytesOf({ secret }: DataKey): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'slotkeeper sealed', 32));
}

function boundTo(kid: string, context: string): Buffer {
  return Buffer.from(`${VERSION}\n${kid}\n${context}`, 'utf8');
}
