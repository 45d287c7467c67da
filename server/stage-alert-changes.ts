import type { Claims } from './auth/claims.ts';
import { Changes } from './changes.ts';

/** What a subscriber hears: ids only. */
export type StageAlertChange = { alertIds: string[]; isResync: boolean };

/** What the relay tells of the alerts of one doctor, or of a whole hospital where `doctor_id` is null. */
export type ToldAlerts = { hospital_id: string; doctor_id: string | null; alert_ids: string[] };

/** Changes of alerts, by `hospital/doctor` and, all of a hospital together, by `hospital/all`. */
export class StageAlertChanges extends Changes<StageAlertChange> {
  constructor() {
    super((_topic, alertIds) => ({ alertIds, isResync: alertIds.length === 0 }));
  }

  /** Passes on one message of the relay. */
  tell(changes: readonly ToldAlerts[]): void {
    for (const { hospital_id, doctor_id, alert_ids } of changes) {
      this.pass(hospital_id, doctor_id, alert_ids);
      if (doctor_id !== null) this.pass(hospital_id, 'all', alert_ids);
    }
  }
}

/**
 * The topic of the alerts that these claims may read; the same choice as in the policies of the table.
 * Null where there are none.
 */
export function alertsOf(claims: Claims | null): string | null {
  if (claims === null || claims.role === 'patient') return null;
  const { hospitalId, role, doctorId } = claims;
  if (role === 'doctor') return doctorId && `${hospitalId}/${doctorId}`;
  return `${hospitalId}/all`;
}
