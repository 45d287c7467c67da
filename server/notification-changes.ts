import type { Claims } from './auth/claims.ts';
import { Changes } from './changes.ts';

/** What a reader hears of their inbox: ids only. */
export type NotificationChange = { notificationIds: string[]; isResync: boolean };

/** What the relay tells of one inbox, or of all of a hospital where `reader` is null. */
export type ToldInbox = {
  hospital_id: string;
  /** Whose inbox: `patient/…`, `doctor/…` or `account/…`. */
  reader: string | null;
  notification_ids: string[];
};

/** Changes of inboxes, by `hospital/reader`. */
export class NotificationChanges extends Changes<NotificationChange> {
  constructor() {
    super((_topic, notificationIds) => ({
      notificationIds,
      isResync: notificationIds.length === 0,
    }));
  }

  /** Passes on one message of the relay. */
  tell(changes: readonly ToldInbox[]): void {
    for (const { hospital_id, reader, notification_ids } of changes) {
      this.pass(hospital_id, reader, notification_ids);
    }
  }
}

/**
 * The topic of the one inbox that these claims may read; the same choice as in the policies of the
 * table. Null where there is none.
 */
export function inboxOf(claims: Claims | null): string | null {
  if (claims === null) return null;
  const { hospitalId, role, patientId, doctorId, accountId } = claims;
  if (role === 'patient') return patientId && `${hospitalId}/patient/${patientId}`;
  if (role === 'doctor') return doctorId && `${hospitalId}/doctor/${doctorId}`;
  return `${hospitalId}/account/${accountId}`;
}
