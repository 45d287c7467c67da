import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '..', '..');

/** A refusal that TypeScript writes itself, as far as its text tells. */
export type WrittenRefusal = {
  file: string;
  scenario: string;
  code: string;
  recoverable: boolean;
  /** Undefined where the words depend on the case. */
  message: string | undefined;
  hint: string | undefined;
};

/** The scenarios that functions of the database raise, each with its file. */
export async function scenariosInSql(): Promise<{ file: string; scenario: string }[]> {
  const found = (await sources('sql/functions', '.sql')).flatMap(({ file, text }) => {
    const code = text.replaceAll(/--.*$/gm, '');
    const raised = callsOf(code, 'refuse').flatMap((call) => literalsIn(call));
    const isImport = file.includes('/imports/');
    const judged = [...code.matchAll(isImport ? /\b\d+, '(\w+)',\s/g : /\(\d+, '(\w+)',\s/g)].map(
      ([, scenario = '']) => scenario,
    );
    const imported = callsOf(code, 'import_fault', true).map(
      (call) => /^[^,]+,[^,]+,[^,]+, '(\w+)'/.exec(call)?.[1] ?? [],
    );
    return [...raised, ...judged, ...imported.flat()].map((scenario) => ({ file, scenario }));
  });
  return found;
}

/** The refusals that the server and the worker write out themselves. */
export async function refusalsInTypeScript(): Promise<WrittenRefusal[]> {
  const found: WrittenRefusal[] = [];
  for (const { file, text } of await codeOfServices()) {
    for (const [form] of text.matchAll(/\{[^{}]*\bscenario: '\w+'(?:[^{}]|\{[^{}]*\})*\}/g)) {
      found.push({
        file,
        scenario: /scenario: '(\w+)'/.exec(form)?.[1] ?? '',
        code: /code: '(\w+)'/.exec(form)?.[1] ?? '',
        recoverable: /recoverable: true/.test(form),
        message: /message: '([^']*)'/.exec(form)?.[1],
        hint: /hint: '([^']*)'/.exec(form)?.[1],
      });
    }
    for (const call of [
      ...callsOf(text, 'refused', true),
      ...callsOf(text, 'limitRefusal', true),
    ]) {
      const [scenario, message, hint] = stringsIn(call);
      if (scenario === undefined) continue;
      found.push({ file, scenario, code: 'SK400', recoverable: false, message, hint });
    }
    // The table of limits: scenario, message, limit, actual, hint; the texts may be variables.
    for (const [rule, scenario = ''] of text.matchAll(
      /\[\s*'([a-z]+_[a-z_]+)',\s*(?:'[A-Z]|deep,)[^\]]*\]/g,
    )) {
      const message = /^\[\s*'\w+',\s*'([^']*)'/.exec(rule)?.[1];
      found.push({ file, scenario, code: 'SK400', recoverable: false, message, hint: undefined });
    }
  }
  return found;
}

/** The scenarios that TypeScript takes from the catalog by name. */
export async function scenariosTakenFromCatalog(): Promise<{ file: string; scenario: string }[]> {
  return (await codeOfServices()).flatMap(({ file, text }) =>
    [...text.matchAll(/\bSCENARIOS = \[([^\]]*)\]/g)].flatMap(([, list = '']) =>
      stringsIn(list).map((scenario) => ({ file, scenario })),
    ),
  );
}

async function codeOfServices(): Promise<{ file: string; text: string }[]> {
  const folders = ['server', 'worker', 'platform'];
  const found = await Promise.all(folders.map((folder) => sources(folder, '.ts')));
  return found
    .flat()
    .map(({ file, text }) => ({ file, text: text.replaceAll(/^\s*(\/\/|\*|\/\*\*).*$/gm, '') }));
}

async function sources(folder: string, ending: string): Promise<{ file: string; text: string }[]> {
  const entries = await readdir(join(project, folder), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({
      file: relative(project, file),
      text: await readFile(file, 'utf8'),
    })),
  );
}

/** The arguments of each call of a function: the first one, or all. */
function callsOf(code: string, name: string, all = false): string[] {
  return [...code.matchAll(new RegExp(`\\b${name}\\(`, 'g'))].map(({ index }) => {
    const start = index + name.length + 1;
    let depth = 0;
    let end = start;
    for (; end < code.length; end += 1) {
      const character = code[end];
      if (character === '(') depth += 1;
      if (character === ')') {
        if (depth === 0) break;
        depth -= 1;
      }
      if (character === ',' && depth === 0 && !all) break;
    }
    return code.slice(start, end);
  });
}

/** Literals of an SQL expression that are values, not keys of a json object. */
function literalsIn(expression: string): string[] {
  return [...expression.matchAll(/(->>?\s*)?'(\w+)'/g)]
    .filter(([, arrow]) => arrow === undefined)
    .map(([, , word = '']) => word);
}

function stringsIn(code: string): string[] {
  return [...code.matchAll(/'([^']*)'/g)].map(([, text = '']) => text);
}
