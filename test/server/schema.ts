import { constant, lambda, makeGrafastSchema, type Step } from 'postgraphile/grafast';
import { GraphQLError } from 'postgraphile/graphql';

/** A schema with everything the walls look at: connections, plain lists, unions, all three roots. */
export const typeDefs = /* GraphQL */ `
  scalar Cursor
  type PageInfo { hasNextPage: Boolean! }
  interface Named { name: String }
  type Hospital { name: String, rooms: [Room!]!, parent: Hospital, grid: [[Int]] }
  type Room implements Named { name: String, tags: [String], hospital: Hospital }
  type Doctor implements Named {
    name: String
    slots(first: Int, last: Int, offset: Int, after: Cursor): SlotConnection
    room: Room
  }
  type Slot { id: Int, doctor: Doctor, fails: Int }
  type SlotEdge { cursor: Cursor, node: Slot }
  type SlotConnection { nodes: [Slot], edges: [SlotEdge], pageInfo: PageInfo!, totalCount: Int! }
  type DoctorConnection { nodes: [Doctor], pageInfo: PageInfo!, totalCount: Int! }
  union Anyone = Doctor | Room
  type Query {
    doctors(first: Int, last: Int, offset: Int, after: Cursor): DoctorConnection
    slots(first: Int, offset: Int): [Slot!]
    shortList(first: Int = 30): SlotConnection
    search(pageSize: Int, first: Int): SlotConnection
    rooms: [Room!]!
    anyone: Anyone
    hospital: Hospital
    answer: Int
    echo(text: String): String
    fail(kind: String!): Int
    wait(milliseconds: Int!): Int
  }
  input BookInput { slot: Int! }
  type Booked { id: Int, query: Query }
  type Mutation { book(slot: Int): Booked, cancel(slot: Int): Booked, order(input: BookInput!): Int }
  type Subscription { slotsChanged(doctor: Int): Slot }
`;

/** What the schema's fields call, given by a test. */
export type Hooks = {
  /** Throws or rejects with whatever a test wants to see masked. */
  fail?(kind: string): Promise<never>;
  /** What a subscriber is sent. */
  slotsChanged?(): AsyncGenerator<number, void, void>;
};

/** The schema, with plans; fields without one are null. */
export function createSchema(hooks: Hooks = {}) {
  const doctorsPlan = () => constant(null);
  return makeGrafastSchema({
    typeDefs,
    objects: {
      Query: {
        plans: {
          answer: () => constant(42),
          echo: (_: Step, { $text }) => $text,
          doctors: doctorsPlan,
          hospital: () => constant({ name: 'General' }),
          fail: (_: Step, { $kind }) =>
            lambda(
              $kind,
              (kind) => hooks.fail?.(String(kind)) ?? Promise.reject(new GraphQLError('no')),
            ),
          wait: (_: Step, { $milliseconds }) =>
            lambda($milliseconds, (milliseconds) => {
              const { promise, resolve } = Promise.withResolvers<number>();
              setTimeout(() => resolve(1), Number(milliseconds)).unref();
              return promise;
            }),
        },
      },
      Mutation: { plans: { book: () => constant({ id: 1 }), cancel: () => constant({ id: 1 }) } },
      Subscription: {
        plans: {
          slotsChanged: {
            subscribePlan: () => lambda(constant(null), () => hooks.slotsChanged?.() ?? never()),
            plan: ($id: Step) => lambda($id, (id) => ({ id: Number(id) })),
          },
        },
      },
      Slot: {
        plans: {
          fails: ($slot: Step) => lambda($slot, () => hooks.fail?.('slot')),
          id: ($slot: Step) => lambda($slot, (slot) => (slot as { id: number }).id),
        },
      },
    },
  });
}

async function* never(): AsyncGenerator<number, void, void> {
  await new Promise(() => {});
  yield 0;
}
