import type { Course, PlannedVisit } from './day-plan.ts';
import { type Proof, proveAll } from './prove.ts';

/** What the tables say at the end of the day, against how it was planned. Read without an index. */
export function proveDay(options: {
  databaseUrl: string;
  hospitalId: string;
  visits: readonly PlannedVisit[];
}): Promise<Proof[]> {
  const { databaseUrl, hospitalId, visits } = options;
  const of = (...courses: readonly Course[]) =>
    visits
      .filter(({ course }) => courses.includes(course))
      .map(({ appointmentId }) => appointmentId);
  const lists: Record<string, string[]> = {
    missed: of('missed'),
    came: of('seen', 'left without vitals', 'left without doctor'),
    without_vitals: of('left without vitals'),
    without_doctor: of('left without doctor'),
  };
  return proveAll(
    databaseUrl,
    claims.map(({ claim, list, contradictions }) => ({
      claim: claim.replace('%', String(list ? lists[list]?.length : '')),
      contradictions,
      values: list ? [hospitalId, lists[list]] : [hospitalId],
    })),
  );
}

type Claim = {
  /** `%` stands for how many the list has. */
  claim: string;
  list?: 'missed' | 'came' | 'without_vitals' | 'without_doctor';
  contradictions: string;
};

/** Two sets that must be one: what is in only one of them. */
const different = (one: string, other: string) =>
  `(${one} except all ${other}) union all (${other} except all ${one})`;

const claims: readonly Claim[] = [
  {
    claim: 'the % visits that nobody came to were found by the sweep, and no other',
    list: 'missed',
    contradictions: different(
      `select appointment_id from app_public.no_show_log
       where hospital_id = $1 and reason = 'auto_timeout' and undone_at is null`,
      'select unnest($2::uuid[])',
    ),
  },
  {
    claim: 'each of them, and nothing else, counts as missed, and holds no seat',
    list: 'missed',
    contradictions: different(
      "select id from app_public.appointment where hospital_id = $1 and status = 'no_show' and not holds_seat",
      'select unnest($2::uuid[])',
    ),
  },
  {
    claim: 'each was found when its time-out had passed, and within five minutes of that',
    contradictions: `
      select id from app_public.no_show_log
      where hospital_id = $1
        and marked_at - slot_starts_at - make_interval(mins => timeout_minutes)
          not between interval '0' and interval '5 minutes'`,
  },
  {
    claim: 'every patient counts exactly the visits that they missed',
    contradictions: `
      select patient.id
      from app_public.patient
      left join app_public.no_show_log as log
        on log.hospital_id = patient.hospital_id and log.patient_id = patient.id and log.undone_at is null
      where patient.hospital_id = $1
      group by patient.id, patient.no_show_count
      having count(log.id) <> patient.no_show_count`,
  },
  {
    claim: 'who reached the threshold is blocked, by the visit that reached it, and nobody else is',
    contradictions: different(
      `select patient.id from app_public.patient
       join app_public.hospital on hospital.id = patient.hospital_id
       where patient.hospital_id = $1 and patient.no_show_count >= hospital.no_show_block_threshold`,
      `select patient.id from app_public.patient
       join app_public.patient_block as block
         on block.hospital_id = patient.hospital_id and block.patient_id = patient.id
         and block.unblocked_at is null and block.is_automatic
       join app_public.no_show_log as log
         on log.hospital_id = patient.hospital_id and log.patient_id = patient.id and log.has_blocked_patient
       where patient.hospital_id = $1 and patient.status = 'blocked'`,
    ),
  },
  {
    claim: 'each patient was told of each missed visit once, and of the block',
    contradictions: different(
      `select log.appointment_id, event from app_public.no_show_log as log
       cross join unnest(array['no_show', case when log.has_blocked_patient then 'patient_blocked' end]) as event
       where log.hospital_id = $1 and event is not null`,
      `select appointment_id, event from app_public.notification
       where hospital_id = $1 and event in ('no_show', 'patient_blocked')`,
    ),
  },
  {
    claim: 'the % patients who came were checked in, measured, seen and completed',
    list: 'came',
    contradictions: different(
      `select appointment.id from app_public.appointment
       join app_public.consultation
         on consultation.hospital_id = appointment.hospital_id and consultation.appointment_id = appointment.id
         and consultation.status = 'completed'
       join app_public.vitals_entry as vitals
         on vitals.hospital_id = appointment.hospital_id and vitals.appointment_id = appointment.id
       where appointment.hospital_id = $1 and appointment.status = 'completed'
         and appointment.checked_in_at <= appointment.vitals_recorded_at
         and appointment.vitals_recorded_at <= consultation.started_at`,
      'select unnest($2::uuid[])',
    ),
  },
  {
    claim: 'the % left waiting for vital signs raised an alert, in time, and no other did',
    list: 'without_vitals',
    contradictions: different(
      `select appointment_id from app_public.stage_alert
       where hospital_id = $1 and kind = 'no_vitals' and status = 'resolved'
         and raised_at - due_at <= interval '6 minutes'`,
      'select unnest($2::uuid[])',
    ),
  },
  {
    claim: 'the % left waiting for the doctor raised an alert, in time, and no other did',
    list: 'without_doctor',
    contradictions: different(
      `select appointment_id from app_public.stage_alert
       where hospital_id = $1 and kind = 'no_doctor' and status = 'resolved'
         and raised_at - due_at <= interval '6 minutes'`,
      'select unnest($2::uuid[])',
    ),
  },
  {
    claim: 'every count of a slot and of a day is that of its appointments',
    contradictions: `
      select slot.id::text
      from app_public.slot
      left join app_public.appointment
        on appointment.hospital_id = slot.hospital_id and appointment.slot_id = slot.id and appointment.holds_seat
      where slot.hospital_id = $1
      group by slot.id, slot.booked_count
      having count(appointment.id) <> slot.booked_count
      union all
      select doctor_id::text from app_public.doctor_day
      where hospital_id = $1 and booked_count <> 0`,
  },
];
