import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deliveryOf, type OutboxMessage } from '../../worker/outbox.ts';
import type { Payload } from '../../worker/payloads.ts';

const hospital_id = randomUUID();
const [one, other] = [randomUUID(), randomUUID()];
const [doctor, otherDoctor] = [randomUUID(), randomUUID()];

function message(topic: string, payload: unknown, of = hospital_id): OutboxMessage {
  return { hospital_id: of, topic, payload };
}

function told(messages: OutboxMessage[], channel = 'slotkeeper_slots') {
  return deliveryOf(messages)
    .notifications.filter((each) => each.channel === channel)
    .map(({ payload }) => JSON.parse(payload));
}

test('what happens to the slots of a doctor is told together, each slot once', () => {
  const messages = [
    message('appointment', { status: 'held', doctor_id: doctor, slot_ids: [one] }),
    message('appointment', { status: 'scheduled', doctor_id: doctor, slot_ids: [one] }),
    message('slots', { doctor_id: doctor, slot_ids: [other] }),
    message('appointment', { status: 'scheduled', doctor_id: otherDoctor, slot_ids: [other] }),
  ];
  expect(told(messages)).toEqual([
    [
      { hospital_id, doctor_id: doctor, slot_ids: [one, other] },
      { hospital_id, doctor_id: otherDoctor, slot_ids: [other] },
    ],
  ]);
});

test('alerts of the waiting room are told doctor by doctor, or of the whole hospital', () => {
  const alerts = (doctor_id: unknown, alert_ids: unknown) =>
    message('stage_alert', { doctor_id, alert_ids });
  const messages = [alerts(doctor, [one]), alerts(doctor, [other]), alerts(otherDoctor, [one])];
  expect(told(messages, 'slotkeeper_stage_alerts')).toEqual([
    [
      { hospital_id, doctor_id: doctor, alert_ids: [one, other] },
      { hospital_id, doctor_id: otherDoctor, alert_ids: [one] },
    ],
  ]);
  expect(told([alerts('nobody', ['nothing'])], 'slotkeeper_stage_alerts')).toEqual([
    [{ hospital_id, doctor_id: null, alert_ids: [] }],
  ]);
  expect(told(messages)).toEqual([]);
});

test('the same doctor id in two hospitals is two doctors', () => {
  const elsewhere = randomUUID();
  const payload = { doctor_id: doctor, slot_ids: [one] };
  expect(told([message('slots', payload), message('slots', payload, elsewhere)])).toEqual([
    [
      { hospital_id, doctor_id: doctor, slot_ids: [one] },
      { hospital_id: elsewhere, doctor_id: doctor, slot_ids: [one] },
    ],
  ]);
});

test('generated slots are too many to name: everything of the doctor, or of the hospital', () => {
  const messages = [
    message('slots', { doctor_id: doctor, slot_ids: [one] }),
    message('slots', { doctor_id: doctor }),
    message('slots', { doctor_id: null }),
  ];
  expect(told(messages)).toEqual([
    [
      { hospital_id, doctor_id: doctor, slot_ids: [] },
      { hospital_id, doctor_id: null, slot_ids: [] },
    ],
  ]);
});

test('what changed in an inbox is told together, inbox by inbox', () => {
  const nobody = { patient_id: null, doctor_id: null, account_id: null };
  const inbox = (reader: object, id: string | null, of = hospital_id) =>
    message('notification', { ...nobody, ...reader, notification_ids: id ? [id] : [] }, of);
  const elsewhere = randomUUID();
  const messages = [
    inbox({ patient_id: doctor }, one),
    inbox({ doctor_id: doctor }, one),
    inbox({ patient_id: doctor }, other),
    inbox({ patient_id: doctor }, one),
    inbox({ account_id: doctor }, other),
    inbox({ patient_id: doctor }, other, elsewhere),
    inbox({}, null),
  ];
  expect(told(messages, 'slotkeeper_notifications')).toEqual([
    [
      { hospital_id, reader: `patient/${doctor}`, notification_ids: [one, other] },
      { hospital_id, reader: `doctor/${doctor}`, notification_ids: [one] },
      { hospital_id, reader: `account/${doctor}`, notification_ids: [other] },
      { hospital_id: elsewhere, reader: `patient/${doctor}`, notification_ids: [other] },
      { hospital_id, reader: null, notification_ids: [] },
    ],
  ]);
  expect(told(messages)).toEqual([]);
});

test('a request without a slot is no change of slots', () => {
  const payload = { status: 'requested', doctor_id: doctor, slot_ids: [null] };
  expect(deliveryOf([message('appointment', payload)])).toEqual({
    jobs: [],
    notifications: [],
    freed: [],
    told: new Map(),
  });
});

test('however much there is to tell, no notification is longer than Postgres takes', () => {
  const ids = Array.from({ length: 1_000 }, () => randomUUID());
  const sessions = ids.map((id) => message('session', { session_ids: [id] }));
  const slotsOfOne = ids.map((id) => message('slots', { doctor_id: doctor, slot_ids: [id] }));
  const slotsOfMany = ids.map((id) => message('slots', { doctor_id: id, slot_ids: [id] }));
  const inboxes = ids.map((id) =>
    message('notification', { account_id: id, notification_ids: [id] }),
  );
  const inboxOfOne = ids.map((id) =>
    message('notification', { patient_id: one, notification_ids: [id] }),
  );
  const { notifications } = deliveryOf([
    ...[...sessions, ...slotsOfOne, ...slotsOfMany],
    ...[...inboxes, ...inboxOfOne],
  ]);
  for (const { payload } of notifications) {
    expect(Buffer.byteLength(payload)).toBeLessThan(7_900);
  }
  const changes = told([...slotsOfOne, ...slotsOfMany]).flat();
  const ofOne = changes.filter(({ doctor_id }) => doctor_id === doctor);
  expect(ofOne.flatMap(({ slot_ids }) => slot_ids)).toEqual(ids);
  const ofMany = changes.filter(({ doctor_id }) => doctor_id !== doctor);
  expect(ofMany.map(({ doctor_id }) => doctor_id)).toEqual(ids);
  const ended = told(sessions, 'slotkeeper_sessions');
  expect(ended.flatMap(({ session_ids }) => session_ids)).toEqual(ids);
  const readers = told([...inboxes, ...inboxOfOne], 'slotkeeper_notifications').flat();
  expect(readers.flatMap(({ notification_ids }) => notification_ids)).toEqual([...ids, ...ids]);
  expect(notifications.length).toBeLessThan(70);
});

test('changed schedules of a doctor are one job', () => {
  const messages = [1, 2, 3].map(() => message('schedule', { doctor_id: doctor }));
  expect(deliveryOf(messages).jobs).toEqual([
    {
      task: 'generate_slots',
      payload: { hospital_id, doctor_id: doctor },
      key: `generate_slots:${hospital_id}:${doctor}`,
    },
  ]);
});

test.each([
  null,
  7,
  'text',
  [],
  {},
  { doctor_id: 7, slot_ids: 'none' },
  { doctor_id: 'x'.repeat(9_000), slot_ids: ['x'.repeat(9_000), 7, null, {}] },
])('a payload that cannot be read (%j) spoils no batch', (payload) => {
  const good = message('slots', { doctor_id: doctor, slot_ids: [one] });
  const bad = ['appointment', 'notification', 'schedule', 'session', 'slots'].map((topic) =>
    message(topic, payload),
  );
  expect(told([...bad, good]).flat()).toContainEqual({ ...(good.payload as object), hospital_id });
});

const freedBy = (...messages: OutboxMessage[]) => deliveryOf(messages).freed;

test.each(['cancelled', 'expired', 'no_show'])(
  'an appointment that is %s frees a seat',
  (status) => {
    const payload = { status, doctor_id: doctor, slot_ids: [one] };
    expect(freedBy(message('appointment', payload))).toEqual([{ hospital_id, doctor_id: doctor }]);
  },
);

test.each([
  'requested',
  'held',
  'scheduled',
  'confirmed',
  'checked_in',
  'in_progress',
  'completed',
])('an appointment that is %s frees none', (status) => {
  const payload = { status, doctor_id: doctor, slot_ids: [one] };
  expect(freedBy(message('appointment', payload))).toEqual([]);
});

test('a request that is declined had no seat', () => {
  for (const slot_ids of [[], [null]]) {
    const payload = { status: 'cancelled', doctor_id: doctor, slot_ids };
    expect(freedBy(message('appointment', payload))).toEqual([]);
  }
});

test('changed slots and news of the waitlist are looked at once a doctor, or once a hospital', () => {
  const elsewhere = randomUUID();
  const ofDoctor = { doctor_id: doctor, slot_ids: [one] };
  expect(
    freedBy(
      message('slots', ofDoctor),
      message('waitlist', ofDoctor),
      message('appointment', { ...ofDoctor, status: 'cancelled' }),
      message('slots', ofDoctor, elsewhere),
      message('waitlist', { doctor_id: null }, elsewhere),
    ),
  ).toEqual([
    { hospital_id, doctor_id: doctor },
    { hospital_id: elsewhere, doctor_id: null },
  ]);
});

test('deliveries are planned for new notifications, not for those that were read', () => {
  const reader = { patient_id: randomUUID() };
  const elsewhere = randomUUID();
  const { jobs } = deliveryOf([
    message('notification', { ...reader, notification_ids: [one], is_new: true }),
    message('notification', { ...reader, notification_ids: [other], is_new: false }),
    message('notification', { ...reader, notification_ids: [doctor] }),
    message('notification', { ...reader, notification_ids: [other, 'x'], is_new: true }),
    message('notification', { ...reader, notification_ids: [one], is_new: true }, elsewhere),
  ]);
  expect(jobs).toEqual([
    {
      task: 'plan_deliveries',
      payload: { hospital_id, notification_ids: [one, other] },
      key: `plan_deliveries:${hospital_id}:${one}:2`,
    },
    {
      task: 'plan_deliveries',
      payload: { hospital_id: elsewhere, notification_ids: [one] },
      key: `plan_deliveries:${elsewhere}:${one}:1`,
    },
  ]);
});

test('many notifications are several jobs of 500', () => {
  const ids = Array.from({ length: 1_001 }, () => randomUUID());
  const { jobs } = deliveryOf(
    ids.map((id) => message('notification', { notification_ids: [id], is_new: true })),
  );
  expect(
    jobs.map(({ payload }) => (payload as { notification_ids: string[] }).notification_ids.length),
  ).toEqual([500, 500, 1]);
  expect(new Set(jobs.map(({ key }) => key)).size).toBe(3);
});

describe('what changed is verified', () => {
  const at = (second: number) => `2026-11-21T12:00:0${second}Z`;
  const changed = (topic: string, key: string, payload: unknown, second = 0, of = hospital_id) => ({
    ...message(topic, payload, of),
    id: String(100 + second),
    key,
    created_at: at(second),
  });
  const verifications = (messages: OutboxMessage[]) =>
    deliveryOf(messages).jobs.filter(({ task }) => task === 'verify_changes');

  test('once a batch and hospital, behind everything else, since the first of it changed', () => {
    const [visit, otherVisit, elsewhere] = [randomUUID(), randomUUID(), randomUUID()];
    const jobs = verifications([
      changed('appointment', visit, { status: 'held', slot_ids: [one] }, 2),
      changed('appointment', visit, { status: 'scheduled', slot_ids: [one] }, 3),
      changed('slots', doctor, { doctor_id: doctor, slot_ids: [other] }, 1),
      changed('appointment', otherVisit, { status: 'requested', slot_ids: [] }, 4),
      changed('appointment', visit, { status: 'held', slot_ids: [one] }, 5, elsewhere),
    ]);
    expect(jobs).toEqual([
      {
        task: 'verify_changes',
        key: `verify_changes:${hospital_id}:102`,
        priority: 5,
        payload: [
          {
            hospital_id,
            appointment_ids: [visit, otherVisit],
            slot_ids: [one, other],
            changed_at: at(1),
          },
        ],
      },
      expect.objectContaining({ payload: [expect.objectContaining({ hospital_id: elsewhere })] }),
    ]);
  });

  test('at the instant that the pace says, under its key', () => {
    const runAt = new Date('2026-11-21T12:00:09Z');
    const elsewhere = randomUUID();
    const messages = [
      changed('appointment', randomUUID(), { status: 'held', slot_ids: [one] }),
      changed('appointment', randomUUID(), { status: 'held', slot_ids: [one] }, 1, elsewhere),
    ];
    const { jobs } = deliveryOf(messages, (id) => (id === elsewhere ? runAt : undefined));
    expect(jobs).toMatchObject([
      { key: `verify_changes:${hospital_id}:100` },
      { key: `verify_changes:${elsewhere}:at-${runAt.getTime()}`, runAt },
    ]);
    expect(jobs[0]).not.toHaveProperty('runAt');
  });

  test('in portions of at most 500 ids of a kind, none left out and none twice', () => {
    const ids = Array.from({ length: 700 }, () => randomUUID());
    const jobs = verifications(
      ids.map((id, index) =>
        changed('appointment', id, { slot_ids: [ids[699 - index]], status: 'scheduled' }),
      ),
    );
    expect(jobs).toHaveLength(1);
    const portions = jobs[0]?.payload as Payload<'verify_changes'>;
    expect(portions.map((each) => each.appointment_ids.length)).toEqual([500, 200]);
    expect(portions.map((each) => each.slot_ids.length)).toEqual([500, 200]);
    expect(portions.flatMap((each) => each.appointment_ids)).toEqual(ids);
    expect(portions.flatMap((each) => each.slot_ids)).toEqual(ids.toReversed());
  });

  test('but not slots that were too many to name', () => {
    expect(verifications([changed('slots', doctor, { doctor_id: doctor })])).toEqual([]);
  });
});
