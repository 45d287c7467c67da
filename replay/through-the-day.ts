import { type Act, type PlannedVisit, planActs, planStops } from './day-plan.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { Staff } from './staff.ts';

export interface DayOptions {
  visits: readonly PlannedVisit[];
  staff: Staff;
  rehearsal: Rehearsal;
  inFlight: number;
  /** Told after every stop of the clock. */
  onStop?: () => void;
}

/** What the worker does by the clock while the day passes. */
const jobs = ['sweep_no_shows', 'sweep_stage_alerts'] as const;

/**
 * Lets the day happen. The clock stops every five minutes; at each stop the staff does what is due, many
 * at once but in its order for each patient, and then the worker looks who did not come and who waits.
 */
export async function liveThroughDay(options: DayOptions): Promise<{ acts: number }> {
  const { visits, rehearsal } = options;
  const acts = planActs(visits);
  let next = 0;
  for (const stop of planStops(visits)) {
    await rehearsal.setClock(stop);
    const due: Act[] = [];
    for (let act = acts[next]; act !== undefined && act.at <= stop; act = acts[next]) {
      due.push(act);
      next += 1;
    }
    await actTogether(options, due);
    await rehearsal.runJobs(jobs);
    options.onStop?.();
  }
  return { acts: next };
}

async function actTogether({ staff, inFlight }: DayOptions, due: readonly Act[]): Promise<void> {
  const waiting = due.values();
  const turns = new Map<string, Promise<void>>();
  const work = async () => {
    for (const act of waiting) {
      const { appointmentId } = act.visit;
      const turn = (turns.get(appointmentId) ?? Promise.resolve()).then(() => staff.act(act));
      turns.set(appointmentId, turn);
      await turn;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}
