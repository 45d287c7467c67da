import type { Payload } from './payloads.ts';

/** An event of which webhooks tell. */
export type WebhookEvent = Payload<'plan_webhooks'>['events'][number];

const byStatus: Readonly<Record<string, string>> = {
  requested: 'appointment.requested',
  held: 'appointment.held',
  scheduled: 'appointment.booked',
  confirmed: 'appointment.confirmed',
  checked_in: 'appointment.checked_in',
  completed: 'appointment.completed',
  cancelled: 'appointment.cancelled',
  no_show: 'appointment.no_show',
  expired: 'appointment.expired',
};
/** States that an appointment begins in by itself; others are brought by an import and are no news. */
const beginnings: readonly unknown[] = ['requested', 'held', 'scheduled', 'confirmed'];

/** What happened, by the state before and after; undefined: nothing that is told. */
export function eventOf(from: unknown, status: unknown, isMoved: boolean): string | undefined {
  if (typeof status !== 'string') return;
  if (from === null) {
    if (!beginnings.includes(status)) return;
    return status === 'confirmed' ? 'appointment.booked' : byStatus[status];
  }
  if (from !== status) return byStatus[status];
  return isMoved ? 'appointment.moved' : undefined;
}
