import 'postgraphile';
import { context, type GrafastSubscriber, lambda, listen, type Step } from 'postgraphile/grafast';
import { extendSchema, gql } from 'postgraphile/utils';
import type { SlotChange } from '../../slot-changes.ts';
import { changedRows } from './changed-rows.ts';

/**
 * `slotsChanged`: told within about a quarter of a second of the commit. The event carries ids only;
 * `slots` reads the rows again under the subscriber's own rights.
 */
export const SlotsChangedPlugin = extendSchema((build) => {
  const slots = build.pgResources.slot;
  if (!slots) throw new Error('the table slot is not in the schema');
  return {
    typeDefs: gql`
      extend type Subscription {
        """
        Tells when slots of a doctor were booked, freed, blocked, withdrawn or generated. Read freeSlots
        or searchFreeSlots again when it does.
        """
        slotsChanged("The doctor whose slots you watch." doctorId: UUID!): SlotsChange
      }

      """
      A change of slots of one doctor.
      """
      type SlotsChange {
        "The doctor."
        doctorId: UUID!
        "The slots that changed; empty when many did or when it is not known which."
        slotIds: [UUID!]!
        "True when changes may have been missed, or many came at once: read everything you show again."
        isResync: Boolean!
        "The slots that changed, as you may see them now."
        slots: [Slot!]!
      }
    `,
    objects: {
      Subscription: {
        plans: {
          slotsChanged: {
            subscribePlan(_$root, fieldArgs) {
              const $doctorId: Step<string> = fieldArgs.getRaw('doctorId');
              const $changes: Step<GrafastSubscriber> = context().get('slotChanges');
              const $hospitalId: Step<string | null> = context().get('hospitalId');
              const $topic = lambda([$hospitalId, $doctorId] as const, topicOf);
              return listen($changes, $topic);
            },
            plan: ($event) => $event,
          },
        },
      },
      SlotsChange: {
        plans: {
          slots: ($event: Step<SlotChange>) => changedRows(slots, $event, 'slotIds'),
        },
      },
    },
  };
}, 'SlotsChangedPlugin');

/** Nobody hears anything without a hospital: no event is ever told under such a topic. */
function topicOf([hospitalId, doctorId]: readonly [string | null, string]): string {
  return `${hospitalId ?? 'nobody'}/${doctorId}`;
}

declare global {
  namespace Grafast {
    interface Context {
      /** Where changes of slots are heard. */
      slotChanges: GrafastSubscriber;
    }
  }
}
