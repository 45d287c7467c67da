import { type Client, type LoginOptions, logIn, scenarioOf } from './client.ts';
import type { Act, Deed } from './day-plan.ts';
import type { StaffLogin } from './load-hospital.ts';

/** Reception, a nurse and the doctors of the day, who work through the endpoint. */
export interface Staff {
  /** Does one act. Throws when it is refused: the day is planned so that nothing is. */
  act(act: Act): Promise<void>;
}

/** Logs everybody in, before the clock moves. */
export async function openStaff(
  options: Omit<LoginOptions, 'email' | 'password'>,
  logins: StaffLogin,
): Promise<Staff> {
  const { password } = logins;
  const enter = (email: string) => logIn({ ...options, email, password });
  const [reception, nurse] = [await enter(logins.reception), await enter(logins.nurse)];
  const doctors = new Map<string, Client>();
  // A few at a time: each login hashes a password on the server.
  for (const some of inPortions([...logins.doctors], 4)) {
    const entered = await Promise.all(
      some.map(async ([id, email]) => [id, await enter(email)] as const),
    );
    for (const [id, client] of entered) doctors.set(id, client);
  }
  const consultations = new Map<string, string>();

  const asDoctor = async (visit: Act['visit'], query: string, input: object) => {
    const doctor = doctors.get(visit.doctorId);
    if (!doctor) throw new Error(`Doctor ${visit.doctorId} has no login.`);
    return demand(await doctor.ask(query, { input }), query);
  };
  const deeds: Record<Deed, (visit: Act['visit']) => Promise<unknown>> = {
    async 'check in'({ appointmentId }) {
      demand(await reception.ask(checkIn, { input: { appointmentId } }), checkIn);
    },
    async 'take vitals'({ appointmentId }) {
      const input = { appointmentId, systolic: 120, diastolic: 80, heartRate: 72 };
      demand(await nurse.ask(recordVitals, { input }), recordVitals);
    },
    async start(visit) {
      const { appointmentId } = visit;
      const data = await asDoctor(visit, startConsultation, { appointmentId });
      const { consultationRecord } = data.startConsultation as Started;
      consultations.set(appointmentId, consultationRecord.consultationId);
    },
    async complete(visit) {
      const consultationId = consultations.get(visit.appointmentId);
      const findings = { chiefComplaint: 'As on the form', diagnosis: ['Nothing to worry about'] };
      await asDoctor(visit, updateConsultation, { consultationId, ...findings });
      await asDoctor(visit, completeConsultation, { consultationId });
    },
  };
  return {
    async act({ deed, visit }) {
      await deeds[deed](visit);
    },
  };
}

type Started = { consultationRecord: { consultationId: string } };

const checkIn = `mutation ($input: CheckInAppointmentInput!) {
  checkInAppointment(input: $input) { appointment { id status } }
}`;

const recordVitals = `mutation ($input: RecordVitalsInput!) {
  recordVitals(input: $input) { appointment { id vitalsRecordedAt } }
}`;

const startConsultation = `mutation ($input: StartConsultationInput!) {
  startConsultation(input: $input) { consultationRecord { consultationId } }
}`;

const updateConsultation = `mutation ($input: UpdateConsultationInput!) {
  updateConsultation(input: $input) { consultationRecord { consultationId } }
}`;

const completeConsultation = `mutation ($input: CompleteConsultationInput!) {
  completeConsultation(input: $input) { consultationRecord { consultationId status } }
}`;

function demand(answer: unknown, query: string): Record<string, unknown> {
  const scenario = scenarioOf(answer);
  const name = /\{ (\w+)/.exec(query)?.[1] ?? query;
  if (scenario !== undefined) throw new Error(`${name} was refused: ${scenario}.`);
  return (answer as { data: Record<string, unknown> }).data;
}

function* inPortions<T>(all: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}
