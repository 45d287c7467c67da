import type { Wish } from './booking.ts';
import type { Queryable } from './hospital.ts';

/** What explain_booking says of one rule. */
export type Verdict = {
  rule: number;
  scenario: string;
  is_satisfied: boolean | null;
  details: Record<string, unknown> | null;
};

/** Asks explain_booking as whoever acts in `db`. */
export async function explain(db: Queryable, wish: Wish): Promise<Verdict[]> {
  const { rows } = await db.query<Verdict>(
    'select * from app_public.explain_booking(slot_id => $1, patient_id => $2, service_id => $3)',
    [wish.slotId, wish.patientId, wish.serviceId ?? null],
  );
  return rows;
}

/** The verdicts of explain_booking that stand in the way. */
export async function brokenVerdicts(db: Queryable, wish: Wish): Promise<Verdict[]> {
  return (await explain(db, wish)).filter(({ is_satisfied }) => is_satisfied === false);
}
