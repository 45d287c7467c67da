import { describe, expect, test } from 'vitest';
import { readLink, signLink, type VisitLink } from '../../platform/link-token.ts';
import { linkSecretsFrom } from '../../platform/secrets.ts';

const link: VisitLink = {
  purpose: 'cancel',
  hospitalId: '01890a5d-ac96-774b-bcce-b302099a8057',
  appointmentId: '01890a5d-ac96-774b-bcce-b302099a8058',
  startMicros: 1_795_000_000_123_456n,
};
const newest = { kid: 'new', secret: 'a secret of links that is long enough 1' };
const older = { kid: 'old', secret: 'a secret of links that is long enough 2' };

describe('the token of a link', () => {
  test.each(['confirm', 'cancel'] as const)('says what was signed: %s', (purpose) => {
    const token = signLink({ ...link, purpose }, [newest, older]);
    expect(readLink(token, [newest, older])).toEqual({ ...link, purpose });
  });

  test('is signed by the first key, and read by any', () => {
    const token = signLink(link, [older]);
    expect(readLink(token, [newest, older])).toEqual(link);
    expect(readLink(signLink(link, [newest, older]), [older])).toBeNull();
  });

  test('is not read by another secret of the same name', () => {
    expect(readLink(signLink(link, [newest]), [{ ...older, kid: 'new' }])).toBeNull();
  });

  test('is not read when any letter of it is another one', () => {
    const token = signLink(link, [newest]);
    for (let at = 0; at < token.length; at += 1) {
      for (const letter of ['A', 'B', '_', '9']) {
        if (token[at] === letter) continue;
        const forged = token.slice(0, at) + letter + token.slice(at + 1);
        expect(readLink(forged, [newest])).toBeNull();
      }
    }
  });

  test('is not read when it was cut, lengthened or spelled otherwise', () => {
    const token = signLink(link, [newest]);
    for (let length = 0; length < token.length; length += 1) {
      expect(readLink(token.slice(0, length), [newest])).toBeNull();
    }
    for (const other of [`${token}A`, `${token}=`, ` ${token}`, `${token}\n`, token.repeat(2)]) {
      expect(readLink(other, [newest])).toBeNull();
    }
  });

  test('is a part of an address, whatever stands in it', () => {
    expect(signLink(link, [newest])).toMatch(/^[\w-]+$/);
  });

  test('refuses to be made of what is no uuid, or without a key', () => {
    expect(() => signLink({ ...link, hospitalId: 'x' }, [newest])).toThrow('not a uuid');
    expect(() => signLink(link, [])).toThrow('no key');
  });
});

test('keys of links come from those of access tokens, always the same, and are others', () => {
  const jwtSecrets = [
    { kid: 'a', secret: 'a secret of tokens, long enough, 1' },
    { kid: 'b', secret: 'a secret of tokens, long enough, 2' },
  ];
  const derived = linkSecretsFrom(jwtSecrets);
  expect(derived).toEqual(linkSecretsFrom(jwtSecrets));
  expect(new Set([...derived, ...jwtSecrets].map(({ secret }) => secret)).size).toBe(4);
  expect(readLink(signLink(link, derived), derived.slice(1))).toBeNull();
  expect(readLink(signLink(link, derived), derived)).toEqual(link);
});
