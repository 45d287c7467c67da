import 'postgraphile';
import { context, type GrafastSubscriber, lambda, listen, type Step } from 'postgraphile/grafast';
import { extendSchema, gql } from 'postgraphile/utils';
import type { StageAlertChange } from '../../stage-alert-changes.ts';
import { changedRows } from './changed-rows.ts';

/**
 * `stageAlertsChanged`: told within about a quarter of a second of the commit, to doctors of their own
 * patients, to the others of the staff of all. It takes no argument: whose alerts, the claims say. The
 * event carries ids only; `alerts` reads the rows again under the subscriber's own rights.
 */
export const StageAlertsChangedPlugin = extendSchema((build) => {
  const alerts = build.pgResources.stage_alert;
  if (!alerts) throw new Error('the table stage_alert is not in the schema');
  return {
    typeDefs: gql`
      extend type Subscription {
        """
        Tells when an alert of the waiting room was raised, acknowledged or resolved: doctors of their own
        patients, the others of the staff of the whole hospital. Read waitingRoom again when it does.
        """
        stageAlertsChanged: StageAlertsChange
      }

      """
      A change of the alerts of the waiting room.
      """
      type StageAlertsChange {
        "The alerts that are new or changed; empty when many are or when it is not known which."
        alertIds: [UUID!]!
        "True when changes may have been missed, or many came at once: read everything you show again."
        isResync: Boolean!
        "The alerts that are new or changed, as they are now."
        alerts: [StageAlert!]!
      }
    `,
    objects: {
      Subscription: {
        plans: {
          stageAlertsChanged: {
            subscribePlan() {
              const $changes: Step<GrafastSubscriber> = context().get('stageAlertChanges');
              const $watched: Step<string | null> = context().get('watchedAlerts');
              return listen($changes, lambda($watched, topicOf));
            },
            plan: ($event) => $event,
          },
        },
      },
      StageAlertsChange: {
        plans: {
          alerts: ($event: Step<StageAlertChange>) => changedRows(alerts, $event, 'alertIds'),
        },
      },
    },
  };
}, 'StageAlertsChangedPlugin');

/** Who may read no alerts hears of none: no event is ever told under such a topic. */
function topicOf(watched: string | null): string {
  return watched ?? 'nobody';
}

declare global {
  namespace Grafast {
    interface Context {
      /** Where changes of alerts are heard. */
      stageAlertChanges: GrafastSubscriber;
      /** The topic of the alerts that the caller may read; null where there are none. */
      watchedAlerts: string | null;
    }
  }
}
