import type { ClientBase } from 'pg';

/** One node of a plan, as far as tests look at it. */
type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: PlanNode[];
};

/** What a statement, and every statement inside the functions and triggers that it ran, has read. */
export type Reading = {
  /** Scans of whole tables, each with its statement. */
  wholeTables: { table: string; statement: string }[];
  /** By table, the statement that had most rows of it, also those that a filter threw away. */
  most: Map<string, { rows: number; statement: string }>;
};

/**
 * Runs `work` on a connection of a superuser and says what its statements have read: by auto_explain,
 * which also sees what PL/pgSQL and triggers run, with the plans that they really use.
 */
export async function readingOf(db: ClientBase, work: () => Promise<unknown>): Promise<Reading> {
  const reading: Reading = { wholeTables: [], most: new Map() };
  const listen = ({ message = '' }: { message?: string | undefined }) => {
    const [, json] = /^duration: .* plan:\n([\s\S]*)$/.exec(message) ?? [];
    if (json === undefined) return;
    const { 'Query Text': statement, Plan: plan } = JSON.parse(json);
    note(reading, plan, statement);
  };
  db.on('notice', listen);
  try {
    await db.query("select set_config('client_min_messages', 'log', true)");
    await work();
  } finally {
    await db.query("select set_config('client_min_messages', 'notice', true)").catch(() => {});
    db.off('notice', listen);
  }
  return reading;
}

/** Prepares a connection of a superuser for `readingOf`. */
export async function watchPlans(db: ClientBase): Promise<void> {
  await db.query("load 'auto_explain'");
  await db.query(`
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set auto_explain.log_format = json`);
}

function note(reading: Reading, plan: PlanNode, statement: string): void {
  for (const node of nodesOf(plan)) {
    const table = node['Relation Name'];
    if (table === undefined) continue;
    if (node['Node Type'] === 'Seq Scan') reading.wholeTables.push({ table, statement });
    const loops = node['Actual Loops'] ?? 0;
    const perLoop =
      (node['Actual Rows'] ?? 0) +
      (node['Rows Removed by Filter'] ?? 0) +
      (node['Rows Removed by Index Recheck'] ?? 0);
    const rows = Math.round(loops * perLoop);
    if (rows > (reading.most.get(table)?.rows ?? 0)) reading.most.set(table, { rows, statement });
  }
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
