/** At most one verification of a hospital in this time, in ms. */
const paceMs = 1_000;
// What still waits may be joined; what is about to start is left alone.
const marginMs = 100;

/**
 * When what changed in a hospital is verified. A change by itself is verified at once. While more of them
 * follow, they are gathered and verified once a second: each look asks for all that hangs on a change, its
 * doctor's days among it, and doctors are the same in many of them.
 */
export class VerificationPace {
  readonly #last = new Map<string, number>();

  /** Not before which instant; undefined: at once. Changes that get the same instant are verified together. */
  next(hospitalId: string, now = Date.now()): Date | undefined {
    const last = this.#last.get(hospitalId) ?? Number.NEGATIVE_INFINITY;
    if (last > now + marginMs) return new Date(last);
    const isCalm = now - last >= paceMs;
    const next = isCalm ? now : last + paceMs;
    this.#last.set(hospitalId, next);
    return isCalm ? undefined : new Date(next);
  }
}
