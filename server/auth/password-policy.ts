import { COMMON_PASSWORDS } from './common-passwords.ts';

/** Fewest and most characters of a password. */
export const PASSWORD_LENGTH = { least: 12, most: 128 } as const;

/** What is wrong with a password. */
export type PasswordFault = 'too_short' | 'too_long' | 'too_common';

/**
 * What is wrong with a password, or null. It must be long enough, and not among the first that anybody
 * tries: a common one with whatever digits and signs behind it, a row of the keyboard, a short piece
 * again and again, or the account's own name, address or hospital. There are no rules about kinds of
 * characters; they make passwords worse.
 */
export function faultOfPassword(
  password: string,
  own: { email: string; name: string; hospital: string },
): PasswordFault | null {
  const text = password.normalize('NFKC');
  const { length } = [...text];
  if (length < PASSWORD_LENGTH.least) return 'too_short';
  if (length > PASSWORD_LENGTH.most) return 'too_long';
  const words = [own.email, own.email.split('@', 1)[0] ?? '', own.name, own.hospital];
  const guesses = new Set([...COMMON_PASSWORDS, ...words.flatMap(variantsOf)]);
  const isGuessed = variantsOf(text).some((variant) => guesses.has(variant));
  return isGuessed || isRow(text.toLowerCase()) ? 'too_common' : null;
}

const LETTER_OF_SIGN: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
};

/** What is left of a text without the usual disguises; nothing that is shorter than four characters. */
function variantsOf(text: string): string[] {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s._-]/g, '');
  const piece = plain.slice(0, periodOf(plain));
  const bare = [plain, piece].flatMap((each) => [each, each.replace(/[^\p{L}]+$/u, '')]);
  const undisguised = bare.map((each) =>
    each.replace(/[@431!0$5]/g, (sign) => LETTER_OF_SIGN[sign] ?? sign),
  );
  return [...bare, ...undisguised].filter((each) => each.length >= 4);
}

const ROWS = [
  '012345678901234567890123456789',
  'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
  '1234567890-=qwertyuiop[]asdfghjkl;zxcvbnm,./',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  '1q2w3e4r5t6y7u8i9o0p',
  'qazwsxedcrfvtgbyhnujmikolp',
];

/** Whether a text is a stretch of the keyboard or the alphabet, or a short piece again and again. */
function isRow(text: string): boolean {
  const reversed = [...text].reverse().join('');
  return (
    ROWS.some((row) => row.includes(text) || row.includes(reversed)) ||
    periodOf(text) <= Math.min(6, text.length / 2)
  );
}

/** After how many characters a text repeats itself; its length when it never does. */
function periodOf(text: string): number {
  for (let period = 1; period < text.length; period++) {
    if (text.startsWith(text.slice(period))) return period;
  }
  return text.length;
}
