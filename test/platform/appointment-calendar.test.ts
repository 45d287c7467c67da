import ICAL from 'ical.js';
import { describe, expect, test } from 'vitest';
import { type CalendarVisit, calendarOf } from '../../platform/calendar/appointment-calendar.ts';

const visit: CalendarVisit = {
  appointmentId: '01890a5d-ac96-774b-bcce-b302099a8057',
  hospitalSlug: 'city',
  startsAt: new Date('2026-12-01T09:30:00Z'),
  endsAt: new Date('2026-12-01T10:00:00Z'),
  changedAt: new Date('2026-11-21T08:00:00Z'),
  moveCount: 0,
  isCancelled: false,
  summary: 'Appointment with Dr. One',
  location: 'Main, City Hospital',
};

/** Read by another library than the one that wrote it. */
function read(text: string) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const events = calendar.getAllSubcomponents('vevent').map((component) => ({
    component,
    event: new ICAL.Event(component),
  }));
  return { calendar, events };
}

function only(text: string) {
  const [first, ...rest] = read(text).events;
  expect(rest).toEqual([]);
  if (!first) throw new Error('no event');
  return first;
}

describe('a calendar of visits', () => {
  test('has what RFC 5545 asks for', () => {
    const { calendar } = read(calendarOf([visit]));
    expect(calendar.getFirstPropertyValue('version')).toBe('2.0');
    expect(calendar.getFirstPropertyValue('prodid')).toContain('Slotkeeper');
    expect(calendar.getFirstPropertyValue('method')).toBe('PUBLISH');
    const { component, event } = only(calendarOf([visit]));
    expect(event.uid).toBe('01890a5d-ac96-774b-bcce-b302099a8057@city');
    expect(event.summary).toBe('Appointment with Dr. One');
    expect(event.location).toBe('Main, City Hospital');
    expect(event.sequence).toBe(0);
    expect(component.getFirstPropertyValue('status')).toBe('CONFIRMED');
  });

  test('gives its times as instants, in UTC', () => {
    const text = calendarOf([visit]);
    expect(text).toContain('\r\nDTSTART:20261201T093000Z\r\n');
    expect(text).toContain('\r\nDTEND:20261201T100000Z\r\n');
    expect(text).toContain('\r\nDTSTAMP:20261121T080000Z\r\n');
    expect(only(text).event.startDate.toJSDate()).toEqual(visit.startsAt);
  });

  test('counts moves and the cancellation in its sequence', () => {
    expect(only(calendarOf([{ ...visit, moveCount: 3 }])).event.sequence).toBe(3);
    const { component, event } = only(calendarOf([{ ...visit, moveCount: 3, isCancelled: true }]));
    expect(event.sequence).toBe(4);
    expect(component.getFirstPropertyValue('status')).toBe('CANCELLED');
    expect(event.uid).toBe(only(calendarOf([visit])).event.uid);
  });

  test('is the same text for the same visits', () => {
    const visits = [visit, { ...visit, appointmentId: '01890a5d-ac96-774b-bcce-b302099a8058' }];
    expect(calendarOf(visits)).toBe(calendarOf(visits));
    expect(read(calendarOf(visits)).events).toHaveLength(2);
  });

  test('of nobody is a calendar, too', () => {
    expect(read(calendarOf([], { refreshEverySeconds: 900 })).events).toEqual([]);
    expect(calendarOf([], { refreshEverySeconds: 900 })).toContain('PT15M');
    expect(calendarOf([])).not.toContain('REFRESH');
  });

  test.each([
    ['commas, semicolons, backslashes', 'O\\Neil, Ann; "the" one: yes'],
    ['a line break that would begin a property', 'One\nEND:VEVENT'],
    ['a return that would', 'One\r\nATTENDEE:mailto:x@y.test'],
    ['emoji in a row', '👩🏽‍⚕️'.repeat(40)],
    ['right to left', 'د. ليلى '.repeat(30).trim()],
    ['long without spaces', 'x'.repeat(1_000)],
    ['CJK', '診療所'.repeat(60)],
  ])('keeps %s in a name', (_, name) => {
    const text = calendarOf([{ ...visit, summary: name, location: name }]);
    const { event } = only(text);
    expect(event.summary).toBe(name.replaceAll('\r\n', '\n'));
    expect(event.location).toBe(name.replaceAll('\r\n', '\n'));
    for (const line of text.split('\r\n')) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
      expect(line).not.toMatch(/[\r\n]/);
    }
    expect(text).toMatch(/\r\nEND:VCALENDAR\r\n$/);
  });

  test('leaves out what no calendar may hold', () => {
    const { event } = only(calendarOf([{ ...visit, summary: 'a\u0000b\u0007c\u007fd\ud800e\tf' }]));
    expect(event.summary).toBe('abcd\ufffde\tf');
  });
});
