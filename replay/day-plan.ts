import type { Outcome } from './book-day.ts';

/** How a visit of the day goes. */
export type Course = 'missed' | 'seen' | 'left without vitals' | 'left without doctor';

/** A booked visit, with how it goes. */
export interface PlannedVisit {
  appointmentId: string;
  doctorId: string;
  /** In ms since 1970. */
  startsAt: number;
  course: Course;
}

export type Deed = 'check in' | 'take vitals' | 'start' | 'complete';

/** Something that a member of the staff does at a time of the day. */
export interface Act {
  at: number;
  deed: Deed;
  visit: PlannedVisit;
}

const minute = 60_000;

/**
 * When staff does what, in minutes from the start of a visit. Who is left waiting is left so for longer
 * than the hospital's own measure (a slot of 15 minutes, and 5 or 10 minutes of grace), and served when
 * the sweep has had another look: the clock runs on while it stops, so that a wait is never due on the dot.
 */
const courses: Readonly<Record<Course, readonly (readonly [minutes: number, deed: Deed])[]>> = {
  missed: [],
  seen: [
    [-5, 'check in'],
    [0, 'take vitals'],
    [5, 'start'],
    [10, 'complete'],
  ],
  'left without vitals': [
    [-5, 'check in'],
    [25, 'take vitals'],
    [30, 'start'],
    [35, 'complete'],
  ],
  'left without doctor': [
    [-5, 'check in'],
    [0, 'take vitals'],
    [35, 'start'],
    [40, 'complete'],
  ],
};

/** One in so many of those who came waits too long: every second of these for vital signs. */
const leftWaitingEvery = 12;

/** How each booked visit goes: as the file says who came; of those, one in twelve waits too long. */
export function planVisits(outcomes: readonly Outcome[]): PlannedVisit[] {
  let came = 0;
  return outcomes
    .flatMap(({ wish, answer }) =>
      answer.kind === 'booked' ? [{ wish, appointmentId: answer.appointmentId }] : [],
    )
    .toSorted((one, other) => one.wish.request.line - other.wish.request.line)
    .map(({ wish: { request, slot }, appointmentId }) => {
      came += request.showedUp ? 1 : 0;
      return {
        appointmentId,
        doctorId: slot.doctorId,
        startsAt: slot.startsAt,
        course: request.showedUp ? courseOf(came) : 'missed',
      };
    });
}

function courseOf(number: number): Course {
  if (number % leftWaitingEvery !== 0) return 'seen';
  return number % (2 * leftWaitingEvery) === 0 ? 'left without doctor' : 'left without vitals';
}

/** Everything that the staff does that day, in its order. */
export function planActs(visits: readonly PlannedVisit[]): Act[] {
  return visits
    .flatMap((visit) =>
      courses[visit.course].map(
        ([minutes, deed]): Act => ({ at: visit.startsAt + minutes * minute, deed, visit }),
      ),
    )
    .toSorted((one, other) => one.at - other.at);
}

/** The times at which the clock stands still: every five minutes while anything can happen. */
export function planStops(visits: readonly PlannedVisit[]): number[] {
  const step = 5 * minute;
  const starts = visits.map(({ startsAt }) => startsAt);
  const first = Math.min(...starts) - 2 * step;
  const last = Math.max(...starts) + 60 * minute;
  return Array.from({ length: Math.ceil((last - first) / step) + 1 }, (_, i) => first + i * step);
}
