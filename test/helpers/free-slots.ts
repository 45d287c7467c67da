import type { Queryable } from './hospital.ts';

/** A row of app_public.free_slot. */
export type FreeSlot = {
  slot_id: string | null;
  doctor_id: string;
  location_id: string;
  starts_at: Date;
  ends_at: Date;
  capacity: number;
  seats_left: number;
  position: string;
};

/** A row of app_public.no_slots_reason. */
export type NoSlotsReason = {
  day: string;
  doctor_id: string;
  reason: string;
  details: Record<string, unknown>;
};

/** Wishes of a search; what is left out is left to the function. */
export type Wishes = {
  doctor_id?: string;
  specialty?: string;
  location_id?: string;
  service_id?: string;
  first_day?: string;
  last_day?: string;
  earliest_time?: string;
  latest_time?: string;
  weekdays?: number[];
  page_size?: number;
  beyond?: string;
};

/** Calls free_slots as whoever acts in `db`. */
export function freeSlotsOf(
  db: Queryable,
  doctorId: string,
  options: { from?: Date; before?: Date; serviceId?: string } = {},
): Promise<FreeSlot[]> {
  return rowsOf(db, 'free_slots', {
    doctor_id: doctorId,
    starting_from: options.from,
    starting_before: options.before,
    service_id: options.serviceId,
  });
}

/** Calls search_free_slots as whoever acts in `db`. */
export function searchFreeSlots(db: Queryable, wishes: Wishes = {}): Promise<FreeSlot[]> {
  return rowsOf(db, 'search_free_slots', wishes);
}

/** Calls explain_no_slots as whoever acts in `db`. */
export function explainNoSlots(
  db: Queryable,
  wishes: Omit<Wishes, 'page_size' | 'beyond'> = {},
): Promise<NoSlotsReason[]> {
  return rowsOf(db, 'explain_no_slots', wishes, 'day::text, doctor_id, reason, details');
}

async function rowsOf<T extends object>(
  db: Queryable,
  name: string,
  wishes: Readonly<Record<string, unknown>>,
  columns = '*',
): Promise<T[]> {
  const given = Object.entries(wishes).filter(([, value]) => value !== undefined);
  const list = given.map(([argument], index) => `${argument} => $${index + 1}`).join(', ');
  const { rows } = await db.query<T>(
    `select ${columns} from app_public.${name}(${list})`,
    given.map(([, value]) => value),
  );
  return rows;
}
