import type { ClientBase, Pool } from 'pg';
import { expect } from 'vitest';

/** Fails unless nothing is double-booked and all that is derived agrees; see `brokenInvariants`. */
export async function expectInvariants(ownerPool: Pool): Promise<void> {
  expect(await brokenInvariants(ownerPool)).toEqual({});
}

/**
 * Looks at the heap, with every index switched off, for anything double-booked and for anything
 * derived that disagrees with what it is derived from. Returns the rows at fault by what is wrong.
 */
export async function brokenInvariants(ownerPool: Pool): Promise<Record<string, unknown[]>> {
  const client = await ownerPool.connect();
  try {
    await client.query('begin');
    return await brokenInvariantsIn(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** As `brokenInvariants`, within a transaction that acts as the owner. */
export async function brokenInvariantsIn(db: ClientBase): Promise<Record<string, unknown[]>> {
  await db.query(
    'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off',
  );
  const broken: Record<string, unknown[]> = {};
  for (const [name, statement] of Object.entries(invariants)) {
    const { rows } = await db.query(statement);
    if (rows.length > 0) broken[name] = rows;
  }
  const { rows } = await db.query(await everyCheck(db));
  if (rows.length > 0) broken['a check of appointments or counters speaks'] = rows;
  return broken;
}

/** What the system's own checks say of it; those that wait for a sweep speak rightly where none runs. */
async function everyCheck(db: ClientBase): Promise<string> {
  const { rows } = await db.query<{ statement: string }>(
    `select string_agg(format('select check_name, entity_id, detail from checks.%I', name), ' union all ') as statement
       from app_public.health_check
      where domain in ('appointments', 'counters') and name not in ('lapsed_hold', 'stale_active_appointment')`,
  );
  return rows[0]?.statement ?? 'select';
}

const seated = "status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress')";

const invariants: Record<string, string> = {
  'a slot holds more appointments than its capacity, or counts them wrongly': `
    select slot.id, slot.capacity, slot.booked_count, count(seat.slot_id)::int as seated
    from app_public.slot
    left join (
      select hospital_id, slot_id from app_public.appointment where ${seated}
      union all
      select hospital_id, slot_id from app_public.appointment_seat
    ) as seat on seat.hospital_id = slot.hospital_id and seat.slot_id = slot.id
    group by slot.hospital_id, slot.id, slot.capacity, slot.booked_count
    having count(seat.slot_id) > slot.capacity or count(seat.slot_id) <> slot.booked_count`,

  'a slot does not say what its columns say': `
    select id, status, booked_count, capacity from app_public.slot
    where status <> case
      when withdrawn_at is not null or is_retired then 'withdrawn'
      when blocked_at is not null or absence_id is not null or holiday_id is not null then 'blocked'
      when booked_count = capacity then 'booked'
      else 'available' end::app_public.slot_status`,

  'a slot was kept for nobody': `
    select id from app_public.slot where is_retired and booked_count = 0 and withdrawn_at is null`,

  'a slot ahead is open in an absence, or closed by none': `
    select slot.id, slot.absence_id, touching.absence_ids
    from app_public.slot
    cross join lateral (
      select array_agg(absence.id) as absence_ids
      from app_public.absence
      where absence.hospital_id = slot.hospital_id and absence.doctor_id = slot.doctor_id
        and absence.during && slot.during and absence.status = 'active'
    ) as touching
    where slot.starts_at > app_private.clock() and slot.withdrawn_at is null
      and (slot.absence_id = any (touching.absence_ids)) is not true
      and (slot.absence_id is not null or touching.absence_ids is not null)`,

  'a slot ahead is open on a holiday, or closed by none': `
    select slot.id, slot.holiday_id, holiday.id as on_holiday
    from app_public.slot
    join app_public.hospital on hospital.id = slot.hospital_id
    left join app_public.holiday
      on holiday.hospital_id = slot.hospital_id and holiday.is_active
      and case when holiday.is_recurring
        then to_char(holiday.date, 'MMDD') = to_char(slot.starts_at at time zone hospital.time_zone, 'MMDD')
        else holiday.date = (slot.starts_at at time zone hospital.time_zone)::date end
    where slot.starts_at > app_private.clock() and slot.withdrawn_at is null
      and slot.holiday_id is distinct from holiday.id`,

  'slots of a doctor overlap': `
    select one.id, other.id as other_id
    from app_public.slot as one
    join app_public.slot as other
      on other.hospital_id = one.hospital_id and other.doctor_id = one.doctor_id
      and other.id > one.id and other.during && one.during
    where one.withdrawn_at is null and other.withdrawn_at is null`,

  'a patient is in two places at a time': `
    select one.id, other.id as other_id
    from app_public.appointment as one
    join app_public.appointment as other
      on other.hospital_id = one.hospital_id and other.patient_id = one.patient_id
      and other.id > one.id and other.during && one.during
    where one.${seated} and other.${seated}`,

  'a day counts its appointments wrongly, or holds more than its limit': `
    select coalesce(counted.hospital_id, doctor_day.hospital_id) as hospital_id,
      coalesce(counted.day, doctor_day.day) as day, counted.seated, doctor_day.booked_count, doctor_day.max_patients
    from (
      select appointment.hospital_id, appointment.doctor_id,
        (appointment.starts_at at time zone hospital.time_zone)::date as day, count(*)::int as seated
      from app_public.appointment
      join app_public.hospital on hospital.id = appointment.hospital_id
      where appointment.${seated}
      group by 1, 2, 3
    ) as counted
    full join app_public.doctor_day
      on doctor_day.hospital_id = counted.hospital_id and doctor_day.doctor_id = counted.doctor_id
      and doctor_day.day = counted.day
    where coalesce(counted.seated, 0) <> coalesce(doctor_day.booked_count, 0)
      or doctor_day.booked_count > doctor_day.max_patients`,

  'an appointment is not in its slots': `
    select appointment.id
    from app_public.appointment
    left join app_public.slot
      on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
    left join lateral (
      select range_agg(further.during) as during, bool_and(further.doctor_id = appointment.doctor_id) as is_his
      from app_public.appointment_seat
      join app_public.slot as further
        on further.hospital_id = appointment_seat.hospital_id and further.id = appointment_seat.slot_id
      where appointment_seat.hospital_id = appointment.hospital_id
        and appointment_seat.appointment_id = appointment.id
    ) as further on true
    where appointment.${seated}
      and (slot.id is null or slot.doctor_id <> appointment.doctor_id
        or slot.location_id is distinct from appointment.location_id
        or not slot.during @> appointment.starts_at
        or not further.is_his
        or not appointment.during <@ (multirange(slot.during) + coalesce(further.during, '{}')))`,

  'a further seat is held by an appointment that holds none': `
    select appointment.id, appointment.status
    from app_public.appointment_seat
    join app_public.appointment
      on appointment.hospital_id = appointment_seat.hospital_id
      and appointment.id = appointment_seat.appointment_id
    where not appointment.${seated}`,

  'an offer and what is held for it disagree': `
    select waitlist_offer.id, waitlist_offer.outcome, appointment.status, waitlist_entry.status as entry_status
    from app_public.waitlist_offer
    join app_public.appointment
      on appointment.hospital_id = waitlist_offer.hospital_id and appointment.id = waitlist_offer.appointment_id
    join app_public.waitlist_entry
      on waitlist_entry.hospital_id = waitlist_offer.hospital_id and waitlist_entry.id = waitlist_offer.entry_id
    where (waitlist_offer.outcome = 'open') <> (appointment.status = 'held')
      or (waitlist_offer.outcome = 'open') and waitlist_entry.status <> 'offered'`,

  'a delivery is for somebody else than its notification': `
    select delivery.id, delivery.channel
    from app_public.notification_delivery as delivery
    left join app_public.notification
      on notification.hospital_id = delivery.hospital_id and notification.id = delivery.notification_id
    where notification.id is null
      or (delivery.patient_id, delivery.doctor_id, delivery.account_id)
        is distinct from (notification.patient_id, notification.doctor_id, notification.account_id)`,

  'a patient has missed another number of visits than the log says': `
    select patient.id, patient.no_show_count, patient.no_shows_forgiven, count(no_show_log.id)::int as logged
    from app_public.patient
    left join app_public.no_show_log
      on no_show_log.hospital_id = patient.hospital_id and no_show_log.patient_id = patient.id
      and no_show_log.undone_at is null
    group by patient.hospital_id, patient.id, patient.no_show_count, patient.no_shows_forgiven
    having patient.no_show_count <> count(no_show_log.id)
      or patient.no_shows_forgiven <> count(no_show_log.id) filter (where no_show_log.is_forgiven)`,

  'a missed visit has no standing row of the log, or one that was not missed has one': `
    select appointment.id, appointment.status, count(no_show_log.id)::int as standing
    from app_public.appointment
    left join app_public.no_show_log
      on no_show_log.hospital_id = appointment.hospital_id and no_show_log.appointment_id = appointment.id
      and no_show_log.undone_at is null
    group by appointment.hospital_id, appointment.id, appointment.status
    having count(no_show_log.id) <> case when appointment.status = 'no_show' then 1 else 0 end`,

  'a patient is blocked without an open block, or the other way round': `
    select patient.id, patient.status, count(patient_block.id)::int as open_blocks
    from app_public.patient
    left join app_public.patient_block
      on patient_block.hospital_id = patient.hospital_id and patient_block.patient_id = patient.id
      and patient_block.unblocked_at is null
    group by patient.hospital_id, patient.id, patient.status
    having count(patient_block.id) <> case when patient.status = 'blocked' then 1 else 0 end`,
};
