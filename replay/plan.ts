import type { DayRequest } from './read-day.ts';

/** A day's work of every doctor of the replay: 32 slots of a quarter of an hour. */
export const workingDay = {
  startTime: '08:00',
  endTime: '17:00',
  breakStart: '12:00',
  breakEnd: '13:00',
  slotMinutes: 15,
  slotsADay: 32,
} as const;

/** How many doctors each health post needs, so that everybody who asked gets a slot of their own. */
export function planStaff(requests: readonly DayRequest[]): Map<string, number> {
  const asked = new Map<string, number>();
  for (const { healthPost } of requests) asked.set(healthPost, (asked.get(healthPost) ?? 0) + 1);
  return new Map(
    [...asked].map(([post, count]) => [post, Math.ceil(count / workingDay.slotsADay)]),
  );
}

/** A slot as reception sees it; times in ms since 1970. */
export interface OfferedSlot {
  id: string;
  doctorId: string;
  startsAt: number;
  endsAt: number;
}

/** Which slot reception will ask for. */
export interface Wish {
  request: DayRequest;
  slot: OfferedSlot;
}

/**
 * Reception's rule: each request takes the earliest slot at its health post that nobody asked for
 * before; of several doctors who are free at once, the first by id. What is refused is not offered
 * again. So it is settled beforehand who asks for which slot, however the requests then race.
 *
 * Where several doctors work side by side, two requests in a row lie at the same time. If they
 * carry the same patient number, one of them must be refused: nobody is in two rooms at once.
 */
export function assignSlots(
  requests: readonly DayRequest[],
  slotsOfPosts: ReadonlyMap<string, readonly OfferedSlot[]>,
): Wish[] {
  const queues = new Map(
    [...slotsOfPosts].map(([post, slots]) => [post, slots.toSorted(earliestFirst).values()]),
  );
  return requests.map((request) => {
    const next = queues.get(request.healthPost)?.next();
    if (!next || next.done)
      throw new Error(`${request.healthPost} has no slot left for line ${request.line}.`);
    return { request, slot: next.value };
  });
}

function earliestFirst(a: OfferedSlot, b: OfferedSlot): number {
  return a.startsAt - b.startsAt || (a.doctorId < b.doctorId ? -1 : 1);
}

/**
 * Wishes that must be refused with patient_double_booked, told from times and patient numbers alone:
 * those that overlap an earlier wish of the same number that was not refused itself.
 */
export function expectRefusals(wishes: readonly Wish[]): Set<Wish> {
  const refused = new Set<Wish>();
  const visits = new Map<string, OfferedSlot[]>();
  for (const wish of wishes) {
    const { patientNumber } = wish.request;
    const earlier = visits.get(patientNumber) ?? [];
    if (
      earlier.some((slot) => slot.startsAt < wish.slot.endsAt && wish.slot.startsAt < slot.endsAt)
    )
      refused.add(wish);
    else visits.set(patientNumber, [...earlier, wish.slot]);
  }
  return refused;
}
