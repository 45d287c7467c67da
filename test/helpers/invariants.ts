import type { Pool } from 'pg';
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
    await client.query(
      'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off',
    );
    const broken: Record<string, unknown[]> = {};
    for (const [name, statement] of Object.entries(invariants)) {
      const { rows } = await client.query(statement);
      if (rows.length > 0) broken[name] = rows;
    }
    return broken;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const seated = "status in ('held', 'scheduled', 'confirmed', 'checked_in', 'in_progress')";

const invariants: Record<string, string> = {
  'a slot holds more appointments than its capacity, or counts them wrongly': `
    select slot.id, slot.capacity, slot.booked_count, count(appointment.id)::int as seated
    from app_public.slot
    left join app_public.appointment
      on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id
      and appointment.${seated}
    group by slot.hospital_id, slot.id, slot.capacity, slot.booked_count
    having count(appointment.id) > slot.capacity or count(appointment.id) <> slot.booked_count`,

  'a slot does not say what its columns say': `
    select id, status, booked_count, capacity from app_public.slot
    where status <> case
      when withdrawn_at is not null or is_retired then 'withdrawn'
      when blocked_at is not null or absence_id is not null or holiday_id is not null then 'blocked'
      when booked_count = capacity then 'booked'
      else 'available' end::app_public.slot_status`,

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

  'an appointment is not in its slot': `
    select appointment.id
    from app_public.appointment
    left join app_public.slot
      on slot.hospital_id = appointment.hospital_id and slot.id = appointment.slot_id
    where appointment.${seated}
      and (slot.id is null or slot.doctor_id <> appointment.doctor_id
        or slot.location_id is distinct from appointment.location_id
        or not appointment.during <@ slot.during)`,
};
