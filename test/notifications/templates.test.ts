// The words and the code agree, in both directions: an event without its words would tell nobody.
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase } from '../helpers/database.ts';

const { ownerPool } = await createDatabase();
const { rows: catalog } = await ownerPool.query<{
  event: string;
  audience: string;
  words: string;
}>("select event, audience, title || ' ' || body as words from app_public.notification_template");

type Source = { name: string; code: string };
const folder = resolve(import.meta.dirname, '../../sql/functions');
const sources: Source[] = await Promise.all(
  (await readdir(folder, { recursive: true }))
    .filter((path) => path.endsWith('.sql'))
    .map(async (path) => ({
      name: path.replace(/^.*\/|\.sql$/g, ''),
      code: (await readFile(join(folder, path), 'utf8')).replaceAll(/--.*$/gm, ''),
    })),
);

/** Functions that take an event: who calls them names it, or passes on its own. */
const tellers = sources.flatMap(({ name, code }) => {
  const list = code.match(/create or replace function \w+\.\w+\(([^)]*)\)/)?.[1] ?? '';
  const parameters = list.split(',').map((each) => each.trim().split(/\s+/)[0] ?? '');
  return parameters.includes('event') ? [{ name, parameters, code }] : [];
});

/** What is told, as far as it stands in the calls themselves. */
const told = sources.flatMap((source) =>
  tellers.flatMap(({ name, parameters, code }) =>
    callsOf(source.code, name).flatMap((given) => {
      const argument = (parameter: string) =>
        given.find((each) => each.startsWith(`${parameter} =>`)) ??
        given[parameters.indexOf(parameter)] ??
        '';
      const audiences = parameters.includes('audience')
        ? valuesIn(argument('audience'))
        : [code.includes("audience = 'staff'") ? 'staff' : 'patient'];
      return valuesIn(argument('event')).flatMap((event) =>
        audiences.map((audience) => ({ event, audience, file: source.name })),
      );
    }),
  ),
);

test('the code is read: events are found in direct calls, in choices and behind others', () => {
  expect(tellers.map(({ name }) => name)).toContain('notify_of_appointment');
  expect(told.map(({ event, audience }) => `${event} ${audience}`)).toEqual(
    expect.arrayContaining([
      'appointment_booked patient',
      'request_accepted patient',
      'request_received doctor',
      'appointment_cancelled doctor',
      'appointment_cancelled patient',
    ]),
  );
});

test('every event that is told has its words for whom it is told to', () => {
  const known = new Set(catalog.map(({ event, audience }) => `${event} ${audience}`));
  expect(told.filter(({ event, audience }) => !known.has(`${event} ${audience}`))).toEqual([]);
});

test('every event that has words is told somewhere', () => {
  const silent = catalog.filter(({ event }) => tellersOf(event).length === 0);
  expect(silent.map(({ event }) => event)).toEqual([]);
});

test('every audience that has words is told', () => {
  const direct = new Set(told.map(({ event }) => event));
  const heard = new Set(told.map(({ event, audience }) => `${event} ${audience}`));
  const silent = catalog.filter(
    ({ event, audience }) => direct.has(event) && !heard.has(`${event} ${audience}`),
  );
  expect(silent).toEqual([]);
});

// Nobody is told their own name, nor what they know.
const always: Readonly<Record<string, readonly string[]>> = {
  patient: ['doctor', 'location', 'starts_at'],
  doctor: ['patient', 'starts_at'],
  // Whose record it is, and who opened it.
  staff: ['patient', 'doctor'],
};

test.each(catalog)('$event for the $audience asks for facts that there are', (template) => {
  const asked = [...template.words.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  for (const name of asked.filter((each) => !always[template.audience]?.includes(each))) {
    for (const teller of tellersOf(template.event)) {
      expect(factsOf(teller), `${teller.name} gives ${name}`).toContain(name);
    }
  }
});

/** The functions that name this event. */
function tellersOf(event: string): Source[] {
  return sources.filter(({ code }) => code.includes(`'${event}'`));
}

/** Names that stand in a function, or in one that it calls for facts or to tell. */
function factsOf({ code }: Source): string[] {
  const called = sources.filter(
    (each) =>
      (/returns jsonb/.test(each.code) || tellers.some(({ name }) => name === each.name)) &&
      code.includes(`app_private.${each.name}(`),
  );
  return [code, ...called.map((each) => each.code)].flatMap((text) =>
    [...text.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
  );
}

/** The arguments of each call of a function. */
function callsOf(code: string, name: string): string[][] {
  return [...code.matchAll(new RegExp(`(?<!function )app_private\\.${name}\\(`, 'g'))].map(
    ({ 0: opening, index }) => {
      const given = [''];
      let depth = 0;
      for (const character of code.slice(index + opening.length)) {
        if (character === ')' && depth === 0) break;
        if (character === '(') depth += 1;
        if (character === ')') depth -= 1;
        if (character === ',' && depth === 0) given.push('');
        else given[given.length - 1] += character;
      }
      return given.map((each) => each.trim());
    },
  );
}

/** What an expression can come to, as far as it says so: literals, but not those it compares with. */
function valuesIn(expression: string): string[] {
  const compared = expression.replaceAll(/\bwhen '\w+'/g, '').replaceAll(/(?<!=)[=<>] '\w+'/g, '');
  return [...compared.matchAll(/'(\w+)'/g)].map(([, word = '']) => word);
}
