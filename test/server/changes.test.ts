import { expect, test } from 'vitest';
import { inboxOf, NotificationChanges } from '../../server/notification-changes.ts';
import { SlotChanges } from '../../server/slot-changes.ts';
import { alertsOf, StageAlertChanges } from '../../server/stage-alert-changes.ts';

const slots = (hospital_id: string, doctor_id: string | null, ...slot_ids: string[]) => ({
  hospital_id,
  doctor_id,
  slot_ids,
});

test('a subscriber hears of its own topic, in order', async () => {
  const changes = new SlotChanges();
  const heard = changes.subscribe('h1/d1');
  changes.tell([slots('h1', 'd2', 'a'), slots('h2', 'd1', 'b'), slots('h1', 'd1', 'c', 'd')]);
  changes.tell([slots('h1', 'd1')]);
  expect((await heard.next()).value).toEqual({
    doctorId: 'd1',
    slotIds: ['c', 'd'],
    isResync: false,
  });
  expect((await heard.next()).value).toEqual({ doctorId: 'd1', slotIds: [], isResync: true });
});

test('what concerns a whole hospital is heard in that one only', async () => {
  const changes = new SlotChanges();
  const [own, other] = [changes.subscribe('h1/d1'), changes.subscribe('h2/d1')];
  changes.tell([slots('h1', null), slots('h2', 'd1', 'a')]);
  expect((await own.next()).value).toEqual({ doctorId: 'd1', slotIds: [], isResync: true });
  expect((await other.next()).value).toEqual({ doctorId: 'd1', slotIds: ['a'], isResync: false });
});

test('after a gap every subscriber is told, and stays subscribed', async () => {
  const changes = new NotificationChanges();
  const listeners = ['h1/patient/p1', 'h2/doctor/d1'].map((topic) => changes.subscribe(topic));
  changes.resync();
  changes.resync();
  const told = { hospital_id: 'h1', reader: 'patient/p1', notification_ids: ['a'] };
  changes.tell([told, { ...told, hospital_id: 'h2', reader: 'doctor/d1' }]);
  for (const heard of listeners) {
    const again = { done: false, value: { notificationIds: [], isResync: true } };
    expect(await heard.next()).toEqual(again);
    expect(await heard.next()).toEqual(again);
    expect((await heard.next()).value).toEqual({ notificationIds: ['a'], isResync: false });
  }
});

test('when the server ends, subscriptions do, and those who left hear nothing', async () => {
  const changes = new SlotChanges();
  const [left, waiting] = [changes.subscribe('h1/d1'), changes.subscribe('h1/d1')];
  await left.return?.();
  changes.tell([slots('h1', 'd1', 'a')]);
  expect(await left.next()).toMatchObject({ done: true });
  expect((await waiting.next()).value).toMatchObject({ slotIds: ['a'] });
  const next = waiting.next();
  changes.close();
  expect(await next).toMatchObject({ done: true });
});

test('the inbox of claims is that of their role', () => {
  const claims = {
    hospitalId: 'h',
    accountId: 'a',
    doctorId: null,
    patientId: null,
    sessionId: 's',
  };
  expect(inboxOf({ ...claims, role: 'patient', patientId: 'p' })).toBe('h/patient/p');
  expect(inboxOf({ ...claims, role: 'doctor', doctorId: 'd' })).toBe('h/doctor/d');
  for (const role of ['nurse', 'receptionist', 'admin'] as const) {
    expect(inboxOf({ ...claims, role })).toBe('h/account/a');
  }
  expect(inboxOf({ ...claims, role: 'patient' })).toBeNull();
  expect(inboxOf({ ...claims, role: 'doctor', patientId: 'p' })).toBeNull();
  expect(inboxOf(null)).toBeNull();
});

test('alerts are heard by the doctor whose they are, and by those who watch all', async () => {
  const changes = new StageAlertChanges();
  const topics = ['h1/d1', 'h1/d2', 'h1/all', 'h2/all'];
  const [own, other, all, elsewhere] = topics.map((topic) => changes.subscribe(topic));
  changes.tell([{ hospital_id: 'h1', doctor_id: 'd1', alert_ids: ['a'] }]);
  const heard = { alertIds: ['a'], isResync: false };
  expect((await own?.next())?.value).toEqual(heard);
  expect((await all?.next())?.value).toEqual(heard);
  // What is told of the whole hospital, all of its subscribers hear once.
  changes.tell([{ hospital_id: 'h1', doctor_id: null, alert_ids: [] }]);
  const again = { alertIds: [], isResync: true };
  for (const listener of [own, other, all]) expect((await listener?.next())?.value).toEqual(again);
  changes.tell([{ hospital_id: 'h2', doctor_id: 'd1', alert_ids: ['b'] }]);
  expect((await elsewhere?.next())?.value).toEqual({ alertIds: ['b'], isResync: false });
});

test('the alerts of claims are those that the role may read', () => {
  const claims = {
    hospitalId: 'h',
    accountId: 'a',
    doctorId: null,
    patientId: null,
    sessionId: 's',
  };
  expect(alertsOf({ ...claims, role: 'doctor', doctorId: 'd' })).toBe('h/d');
  for (const role of ['nurse', 'receptionist', 'admin'] as const) {
    expect(alertsOf({ ...claims, role })).toBe('h/all');
  }
  expect(alertsOf({ ...claims, role: 'patient', patientId: 'p' })).toBeNull();
  expect(alertsOf({ ...claims, role: 'doctor' })).toBeNull();
  expect(alertsOf(null)).toBeNull();
});
