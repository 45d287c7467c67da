import { expect, test } from 'vitest';
import { assignSlots, expectRefusals, type OfferedSlot, planStaff } from '../../replay/plan.ts';
import type { DayRequest } from '../../replay/read-day.ts';

let lines = 1;

function request(patientNumber: string, healthPost = 'CENTRO'): DayRequest {
  lines += 1;
  return {
    line: lines,
    appointmentNumber: String(lines),
    patientNumber,
    age: 40,
    healthPost,
    requestedAt: new Date(0),
    showedUp: true,
  };
}

function slot(doctorId: string, startsAt: number, length = 15): OfferedSlot {
  return { id: `${doctorId}@${startsAt}`, doctorId, startsAt, endsAt: startsAt + length };
}

const idsOf = (wishes: readonly { slot: OfferedSlot }[]) => wishes.map((wish) => wish.slot.id);

test('a health post gets a doctor for every 32 patients begun', () => {
  const asked = (count: number, post: string) =>
    Array.from({ length: count }, () => request('1', post));
  const staff = planStaff([...asked(1, 'A'), ...asked(32, 'B'), ...asked(33, 'C')]);
  expect([...staff]).toEqual([
    ['A', 1],
    ['B', 1],
    ['C', 2],
  ]);
});

test('each takes the next slot of its own health post, earliest first, then by doctor', () => {
  const slots = new Map([
    ['CENTRO', [slot('b', 15), slot('a', 15), slot('b', 0), slot('a', 0)]],
    ['ILHA', [slot('c', 0)]],
  ]);
  const requests = [request('1'), request('2', 'ILHA'), request('3'), request('4'), request('5')];
  expect(idsOf(assignSlots(requests, slots))).toEqual(['a@0', 'c@0', 'b@0', 'a@15', 'b@15']);
});

test('a health post without a slot left is a fault of the plan', () => {
  const slots = new Map([['CENTRO', [slot('a', 0)]]]);
  expect(() => assignSlots([request('1'), request('2')], slots)).toThrow('CENTRO has no slot left');
  expect(() => assignSlots([request('1', 'ILHA')], slots)).toThrow('ILHA has no slot left');
});

test('of wishes under one number, those that overlap an earlier one must be refused', () => {
  const wishes = [
    { request: request('1'), slot: slot('a', 0) },
    { request: request('1'), slot: slot('b', 0) }, // the same time
    { request: request('2'), slot: slot('c', 0) }, // another patient
    { request: request('1'), slot: slot('a', 15) }, // begins when the first ends
    { request: request('1'), slot: slot('b', 10, 20) }, // overlaps both
  ];
  const refused = expectRefusals(wishes);
  expect(wishes.map((wish) => refused.has(wish))).toEqual([false, true, false, false, true]);
});

test('what was refused itself stands in nobody’s way', () => {
  const wishes = [
    { request: request('1'), slot: slot('a', 0, 15) },
    { request: request('1'), slot: slot('b', 10, 20) }, // overlaps the first: refused
    { request: request('1'), slot: slot('c', 20, 10) }, // overlaps only the refused one
  ];
  const refused = expectRefusals(wishes);
  expect(wishes.map((wish) => refused.has(wish))).toEqual([false, true, false]);
});
