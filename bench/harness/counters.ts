import type pg from 'pg';

/** What the tables of a hospital say against `expected` booked appointments; empty when all is right. */
export async function faultsOfBookings(
  owner: pg.Pool,
  hospitalId: string,
  expected: number,
): Promise<string[]> {
  const { rows } = await owner.query<Record<string, number>>(
    `select
       (select count(*)::integer from app_public.appointment
         where hospital_id = $1 and holds_seat) as appointments,
       (select coalesce(sum(booked_count), 0)::integer from app_public.slot
         where hospital_id = $1) as seats,
       (select coalesce(sum(booked_count), 0)::integer from app_public.doctor_day
         where hospital_id = $1) as days,
       (select count(*)::integer from app_public.audit_entry
         where hospital_id = $1 and table_name = 'appointment' and operation = 'insert') as log_entries,
       (select count(*)::integer from (
         select from app_public.slot
         join app_public.appointment
           on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id
           and appointment.holds_seat
         where slot.hospital_id = $1
         group by slot.id, slot.capacity having count(*) > slot.capacity) as overfull) as overfull_slots`,
    [hospitalId],
  );
  const { overfull_slots: overfull = 0, ...counts } = rows[0] ?? {};
  const wrong = Object.entries(counts)
    .filter(([, count]) => count !== expected)
    .map(([what, count]) => `${what.replace('_', ' ')}: ${count} instead of ${expected}`);
  return overfull === 0 ? wrong : [...wrong, `${overfull} slots hold more than their capacity`];
}
