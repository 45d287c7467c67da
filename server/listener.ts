import pgListen from 'pg-listen';
import type { Log } from '../platform/log.ts';
import type { NotificationChanges, ToldInbox } from './notification-changes.ts';
import type { SlotChanges, ToldChange } from './slot-changes.ts';
import type { StageAlertChanges, ToldAlerts } from './stage-alert-changes.ts';

// The package is CommonJS: its default export lies one level deeper than that of a module.
const createSubscriber = pgListen.default;

/** What the server hears from the relay, by channel. */
type Channels = {
  slotkeeper_slots: ToldChange[];
  slotkeeper_notifications: ToldInbox[];
  slotkeeper_stage_alerts: ToldAlerts[];
  slotkeeper_sessions: { session_ids: string[] };
};

export type ListenerOptions = {
  url: string;
  log: Log;
  slotChanges: SlotChanges;
  notificationChanges: NotificationChanges;
  stageAlertChanges: StageAlertChanges;
  /** Told which sessions have ended. */
  endSessions: (sessionIds: readonly string[]) => void;
  /** Told that messages may have been missed. */
  onGap: () => void;
};

/**
 * Listens to the relay on a connection of its own. pg-listen connects again by itself after a break,
 * for as long as it takes; what was told meanwhile is lost, so everybody is then told to read again.
 */
export async function openListener(options: ListenerOptions): Promise<{ close(): Promise<void> }> {
  const { log, slotChanges, notificationChanges, stageAlertChanges } = options;
  const subscriber = createSubscriber<Channels>(
    { connectionString: options.url, application_name: 'slotkeeper-server-listener' },
    { retryInterval: (attempt) => Math.min(250 * attempt, 5_000), retryTimeout: 2 ** 31 - 1 },
  );
  subscriber.notifications.on('slotkeeper_slots', (changes) => slotChanges.tell(changes));
  subscriber.notifications.on('slotkeeper_notifications', (changes) =>
    notificationChanges.tell(changes),
  );
  subscriber.notifications.on('slotkeeper_stage_alerts', (changes) =>
    stageAlertChanges.tell(changes),
  );
  subscriber.notifications.on('slotkeeper_sessions', ({ session_ids }) =>
    options.endSessions(session_ids),
  );
  subscriber.events.on('error', (error) => log.error({ err: error }, 'the listener gave up'));
  let connected = false;
  subscriber.events.on('connected', () => {
    if (connected) {
      log.info('the listener is connected again');
      slotChanges.resync();
      notificationChanges.resync();
      stageAlertChanges.resync();
      options.onGap();
    }
    connected = true;
  });
  subscriber.events.on('reconnect', (attempt) => {
    if (attempt === 1) log.warn('the listener lost its connection, connecting again');
  });
  await subscriber.connect();
  await subscriber.listenTo('slotkeeper_slots');
  await subscriber.listenTo('slotkeeper_notifications');
  await subscriber.listenTo('slotkeeper_stage_alerts');
  await subscriber.listenTo('slotkeeper_sessions');
  return { close: () => subscriber.close() };
}
