import { type LoginOptions, logIn, scenarioOf } from './client.ts';
import type { OfferedSlot } from './plan.ts';

/** The answer to one booking. */
export type Answer =
  | { kind: 'booked'; appointmentId: string }
  | { kind: 'refused'; scenario: string };

/** A logged-in receptionist, who works through HTTP and GraphQL like any other client. */
export interface Reception {
  /** All free slots at a location that start in [from, before). */
  freeSlots(locationId: string, from: Date, before: Date): Promise<OfferedSlot[]>;
  book(wish: { slotId: string; patientId: string; idempotencyKey: string }): Promise<Answer>;
}

/** Logs in as reception. Throws when the login is refused. */
export async function openReception(options: LoginOptions): Promise<Reception> {
  const { ask } = await logIn(options);
  return {
    async freeSlots(locationId, from, before) {
      const slots: OfferedSlot[] = [];
      for (let after: string | null = null; ; ) {
        const answer = await ask(slotsQuery, { locationId, from, before, after });
        const page = (answer as { data?: { slots?: SlotPage } }).data?.slots;
        if (!page) throw new Error(`Slots could not be read: ${scenarioOf(answer)}.`);
        slots.push(...page.nodes.map(toSlot));
        if (!page.pageInfo.hasNextPage) return slots;
        after = page.pageInfo.endCursor;
      }
    },
    async book(wish) {
      const answer = await ask(bookMutation, { input: wish });
      const scenario = scenarioOf(answer);
      if (scenario !== undefined) return { kind: 'refused', scenario };
      return {
        kind: 'booked',
        appointmentId: (answer as Booked).data.bookAppointment.appointment.id,
      };
    },
  };
}

type Booked = { data: { bookAppointment: { appointment: { id: string } } } };
type SlotNode = { id: string; doctorId: string; startsAt: string; endsAt: string };
type SlotPage = {
  nodes: SlotNode[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
};

const bookMutation = `mutation ($input: BookAppointmentInput!) {
  bookAppointment(input: $input) { appointment { id status } }
}`;

const slotsQuery = `query ($locationId: UUID!, $from: Datetime!, $before: Datetime!, $after: Cursor) {
  slots(
    first: 100, after: $after, orderBy: [STARTS_AT_ASC, ID_ASC],
    filter: {
      locationId: { equalTo: $locationId }
      startsAt: { greaterThanOrEqualTo: $from, lessThan: $before }
      status: { equalTo: available }
    }
  ) { nodes { id doctorId startsAt endsAt } pageInfo { hasNextPage endCursor } }
}`;

function toSlot({ id, doctorId, startsAt, endsAt }: SlotNode): OfferedSlot {
  return { id, doctorId, startsAt: Date.parse(startsAt), endsAt: Date.parse(endsAt) };
}
