export type Severity = 'info' | 'warning' | 'critical';

/** A check as the catalog describes it. */
export interface CheckEntry {
  name: string;
  domain: string;
  severity: Severity;
  title: string;
  meaning: string;
  importance: string;
  resolution: string;
  remedy: 'repair' | 'review' | 'operator';
}

/** What a check finds in one hospital; without one: in the whole system. */
export interface HospitalCount {
  hospital: string | null;
  count: number;
  example: string;
}

/** A row of a check's view, or what was remembered of it. */
export interface FoundRow {
  hospital: string | null;
  entityType: string;
  entityId: string | null;
  detail: string;
  metadata: Record<string, unknown>;
  /** When it was found first; undefined when it was not remembered but seen now. */
  firstSeenAt?: Date;
}

/** What came of one check. */
export interface CheckResult extends CheckEntry {
  counts: HospitalCount[];
  /** Every row, where they were asked for. */
  rows: FoundRow[] | undefined;
  durationMs: number;
  /** Why it could not be run; null when it could. */
  error: string | null;
}

/** What the doctor found. */
export interface Diagnosis {
  isRemembered: boolean;
  hospital: string | undefined;
  results: CheckResult[];
}

export type Verdict = 'healthy' | 'warnings' | 'critical' | 'unknown';

/** What the command leaves with. */
export const exitCodes: Readonly<Record<Verdict, number>> = {
  healthy: 0,
  warnings: 1,
  critical: 2,
  unknown: 3,
};

/** How bad it is. What could not be looked at is worse than a warning, and less than what was seen. */
export function verdictOf({ results }: Diagnosis, isStrict: boolean): Verdict {
  const found = new Set(
    results.filter((result) => countOf(result) > 0).map(({ severity }) => severity),
  );
  if (found.has('critical')) return 'critical';
  if (results.some(({ error }) => error !== null)) return 'unknown';
  return found.has('warning') || (isStrict && found.has('info')) ? 'warnings' : 'healthy';
}

/** How many rows a check returned in all. */
export function countOf({ counts }: Pick<CheckResult, 'counts'>): number {
  return counts.reduce((total, { count }) => total + count, 0);
}
