import ical, { ICalCalendarMethod, ICalEventStatus, ICalEventTransparency } from 'ical-generator';

/** A visit as a calendar shows it: who with and where, never why. */
export type CalendarVisit = {
  appointmentId: string;
  hospitalSlug: string;
  startsAt: Date;
  endsAt: Date;
  /** When the appointment last changed. */
  changedAt: Date;
  /** How often it was moved. */
  moveCount: number;
  isCancelled: boolean;
  summary: string;
  location: string;
};

export type CalendarOptions = {
  /** How often a program that subscribes should ask again; a file that is sent once has none. */
  refreshEverySeconds?: number;
};

/**
 * Visits as an iCalendar (RFC 5545).
 *
 * Times are UTC instants: a program shows them in its user's own zone, and a definition of the hospital's
 * zone, which would have to be right for all its changes of the clocks, is of use only to what repeats.
 *
 * The method is PUBLISH, for cancellations too. REQUEST makes mail programs ask for an acceptance and send
 * it to an organizer who does not read mail, and CANCEL without an organizer is refused by some; a
 * published event that comes again with its UID, a higher SEQUENCE and STATUS:CANCELLED is taken out.
 *
 * The same visit always gives the same text: UID is that of the appointment, SEQUENCE grows with each move
 * and with the cancellation, DTSTAMP is the last change.
 */
export function calendarOf(
  visits: readonly CalendarVisit[],
  options: CalendarOptions = {},
): string {
  const calendar = ical({
    prodId: '//Slotkeeper//Appointments//EN',
    method: ICalCalendarMethod.PUBLISH,
    ...(options.refreshEverySeconds === undefined ? null : { ttl: options.refreshEverySeconds }),
  });
  for (const visit of visits) {
    calendar.createEvent({
      id: `${visit.appointmentId}@${visit.hospitalSlug}`,
      sequence: visit.moveCount + (visit.isCancelled ? 1 : 0),
      stamp: visit.changedAt,
      start: visit.startsAt,
      end: visit.endsAt,
      status: visit.isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
      transparency: visit.isCancelled
        ? ICalEventTransparency.TRANSPARENT
        : ICalEventTransparency.OPAQUE,
      summary: printable(visit.summary),
      location: printable(visit.location),
    });
  }
  const text = calendar.toString();
  return text.endsWith('\r\n') ? text : `${text}\r\n`;
}

// What RFC 5545 does not allow in a text; line breaks are escaped, tabs are allowed.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are taken out
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

function printable(text: string): string {
  return text.replace(CONTROLS, '').toWellFormed();
}
