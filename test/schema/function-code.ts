import type { ClientBase } from 'pg';

/** A function of ours, by its text without comments, in lower case as everything here. */
export type FunctionCode = { name: string; code: string };

/** All functions of ours, or those of a view of the vocabulary. */
export async function functionsIn(db: ClientBase, view = 'our_function'): Promise<FunctionCode[]> {
  const { rows } = await db.query<FunctionCode>(`select name, code from ${view}`);
  return rows;
}

/** Names of the functions with a statement that `isFault` finds at fault. */
export function withFault(
  functions: readonly FunctionCode[],
  isFault: (statement: string, of: FunctionCode) => boolean,
): string[] {
  return functions
    .filter((each) => statementsOf(each.code).some((statement) => isFault(statement, each)))
    .map(({ name }) => name);
}

/** A function's text cut at its semicolons: coarse, but a statement is never torn in two. */
function statementsOf(code: string): string[] {
  return code.split(';').map((statement) => statement.replaceAll(/\s+/g, ' ').trim());
}

const clauses =
  /\b(where|on|set|values|select|if|elsif|when|then|return|perform|returning|default)\b|:=/g;

/** Whether a condition of a query calls for a claim, instead of comparing with a variable. */
export function asksClaimsInCondition(statement: string): boolean {
  const calls = statement.matchAll(/\b(claim_\w+|request_hospital_id|current_setting)\s*\(/g);
  return [...calls].some(({ index }) => {
    const clause = [...statement.slice(0, index).matchAll(clauses)].at(-1)?.[0];
    return clause === 'where' || clause === 'on';
  });
}

/** Whether a statement reads or changes a tenant's table without naming the tenant. */
export function forgetsTenant(statement: string, tenantTables: ReadonlySet<string>): boolean {
  const uses = statement.matchAll(
    /\b(?:from|join|update|using)\s+(app_\w+\.(\w+))(?:\s+as\s+(\w+))?/g,
  );
  return [...uses].some(([, name = '', table, alias = table]) => {
    if (name === 'app_public.hospital') return !new RegExp(`\\b${alias}\\.id\\b`).test(statement);
    if (!tenantTables.has(name)) return false;
    return !new RegExp(`\\b${alias}\\.hospital_id\\b`).test(statement);
  });
}

/** Whether an update computes something that differs from call to call. */
export function updatesByChance(statement: string): boolean {
  const [update = ''] = /\bupdate app_[\s\S]*/.exec(statement) ?? [];
  return /\b(new_id|gen_random_uuid|uuidv[47]|random|clock_timestamp|timeofday|nextval)\s*\(/.test(
    update,
  );
}

/** Whether a statement returns anything but bare columns. */
export function returnsExpressions(statement: string): boolean {
  const lists = statement.matchAll(/\breturning (.*?)(?: into |\)|$)/g);
  return [...lists].some(([, list = '']) =>
    list.split(',').some((item) => !/^(\w+\.)?(\w+|\*)$/.test(item.trim())),
  );
}
