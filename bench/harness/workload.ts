import type pg from 'pg';
import type { DatabaseUrls } from '../../platform/database-urls.ts';
import type { Latency } from './figures.ts';

/** What a workload gets to work with. */
export interface Bench {
  urls: DatabaseUrls;
  /** Connections of the role that migrates. */
  owner: pg.Pool;
  /** Folder of this run, where the generated passwords are. */
  dataDir: string;
  /** True in CI: sizes for seconds, only correctness counts. */
  isSmall: boolean;
  /** True when the largest sizes run as well: tens of minutes and gigabytes. */
  isHuge: boolean;
  say: (message: string) => void;
}

/** One thing that was measured. */
export interface Measurement {
  what: string;
  /** How many a second; left out where only the time of one matters. */
  rate?: number;
  latency?: Latency;
  /** What else is worth a word. */
  note?: string;
}

/** What a workload came to. */
export interface WorkloadResult {
  /** Sizes, in a few words. */
  size: string;
  measurements: Measurement[];
  /** Ours against its yardstick; left out where there is none. */
  ratio?: { value: number; of: string; mustReach: string; isReached: boolean };
  /** What was wrong with the answers or with the tables afterwards; empty when all is right. */
  faults: string[];
}

/** A workload with its yardstick. */
export interface Workload {
  name: string;
  /** What is measured, and against what. */
  title: string;
  run(bench: Bench): Promise<WorkloadResult>;
}
