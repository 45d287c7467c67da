import { Changes } from './changes.ts';

/** What a subscriber hears: ids only. */
export type SlotChange = { doctorId: string; slotIds: string[]; isResync: boolean };

/** What the relay tells of one doctor, or of a whole hospital where `doctor_id` is null. */
export type ToldChange = { hospital_id: string; doctor_id: string | null; slot_ids: string[] };

/** Changes of slots, by `hospital/doctor`. */
export class SlotChanges extends Changes<SlotChange> {
  constructor() {
    super((topic, slotIds) => ({
      doctorId: topic.slice(topic.indexOf('/') + 1),
      slotIds,
      isResync: slotIds.length === 0,
    }));
  }

  /** Passes on one message of the relay. */
  tell(changes: readonly ToldChange[]): void {
    for (const { hospital_id, doctor_id, slot_ids } of changes) {
      this.pass(hospital_id, doctor_id, slot_ids);
    }
  }
}
