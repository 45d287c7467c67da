import 'postgraphile';
import { context, type GrafastSubscriber, lambda, listen, type Step } from 'postgraphile/grafast';
import { extendSchema, gql } from 'postgraphile/utils';
import type { NotificationChange } from '../../notification-changes.ts';
import { changedRows } from './changed-rows.ts';

/**
 * `notificationsChanged`: told within about a quarter of a second of the commit, to the reader of the
 * inbox only. It takes no argument: whose inbox it is, the claims say. The event carries ids only;
 * `notifications` reads the rows again under the subscriber's own rights.
 */
export const NotificationsChangedPlugin = extendSchema((build) => {
  const notifications = build.pgResources.notification;
  if (!notifications) throw new Error('the table notification is not in the schema');
  return {
    typeDefs: gql`
      extend type Subscription {
        """
        Tells when your inbox has changed: a new notification, or one that you marked as read or unread on
        another device.
        """
        notificationsChanged: NotificationsChange
      }

      """
      A change of your inbox.
      """
      type NotificationsChange {
        "The notifications that are new or changed; empty when many are or when it is not known which."
        notificationIds: [UUID!]!
        "True when changes may have been missed, or many came at once: read everything you show again."
        isResync: Boolean!
        "The notifications that are new or changed, as they are now."
        notifications: [Notification!]!
      }
    `,
    objects: {
      Subscription: {
        plans: {
          notificationsChanged: {
            subscribePlan() {
              const $changes: Step<GrafastSubscriber> = context().get('notificationChanges');
              const $inbox: Step<string | null> = context().get('inbox');
              return listen($changes, lambda($inbox, topicOf));
            },
            plan: ($event) => $event,
          },
        },
      },
      NotificationsChange: {
        plans: {
          notifications: ($event: Step<NotificationChange>) =>
            changedRows(notifications, $event, 'notificationIds'),
        },
      },
    },
  };
}, 'NotificationsChangedPlugin');

/** Nobody hears anything without an inbox: no event is ever told under such a topic. */
function topicOf(inbox: string | null): string {
  return inbox ?? 'nobody';
}

declare global {
  namespace Grafast {
    interface Context {
      /** Where changes of inboxes are heard. */
      notificationChanges: GrafastSubscriber;
      /** The topic of the caller's own inbox; null when nobody is logged in. */
      inbox: string | null;
    }
  }
}
