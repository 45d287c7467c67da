import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { type GraphQLObjectType, isObjectType, printSchema } from 'postgraphile/graphql';
import { afterAll, expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { createPool } from '../../platform/pool.ts';
import { SchemaPreset } from '../../server/graphql/schema/preset.ts';
import { createDatabase } from '../helpers/database.ts';

const { authenticatorUrl } = await createDatabase();
const pool = createPool({
  url: authenticatorUrl,
  applicationName: 'schema-snapshot',
  log: createLog({ name: 'test', level: 'silent' }),
});
const graphile = postgraphile({
  extends: [SchemaPreset],
  pgServices: [makePgService({ pool, schemas: ['app_public'], pubsub: false })],
});
const schema = await graphile.getSchema();
afterAll(async () => {
  await graphile.release();
  await pool.end();
});

test('the printed schema is what the last review saw', async () => {
  await expect(`${printSchema(schema)}\n`).toMatchFileSnapshot('../../docs/schema.graphql');
});

test('every type, field and argument that stands for the domain has a description', () => {
  const silent = Object.values(schema.getTypeMap())
    .filter(
      (type): type is GraphQLObjectType =>
        isObjectType(type) && !/^__|Connection$|Edge$/.test(type.name),
    )
    .flatMap((type) => [
      ...(type.description ? [] : [type.name]),
      ...Object.values(type.getFields())
        .filter((field) => !field.description && !SELF_EXPLAINING.test(field.name))
        .map((field) => `${type.name}.${field.name}`),
    ]);
  expect(silent).toEqual([]);
});

/** Keys: what they point to is described. */
const SELF_EXPLAINING = /^(id|nodeId|[a-z]+Id|createdAt)$/;

test('nothing is written except through functions', () => {
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});
  expect(mutations.sort()).toEqual([
    'abandonConsultation',
    'acceptAppointment',
    'acknowledgeHealthAlert',
    'acknowledgeStageAlert',
    'addAddendum',
    'addParticipant',
    'addSeat',
    'blockPatient',
    'blockSlot',
    'bookAppointment',
    'bookSeries',
    'breakGlass',
    'cancelAbsence',
    'cancelAppointment',
    'cancelHoliday',
    'cancelSeries',
    'changeAccountRole',
    'changeTimeZone',
    'checkInAppointment',
    'claimReviewItem',
    'completeAppointment',
    'completeConsultation',
    'confirmAppointment',
    'confirmHold',
    'createAbsence',
    'createCalendarFeed',
    'createDoctor',
    'createHoliday',
    'createLocation',
    'createPatient',
    'createService',
    'createWebhookSubscription',
    'deactivateAccount',
    'deactivateDoctor',
    'deactivatePatient',
    'declareEmergency',
    'declineAppointment',
    'deleteWebhookSubscription',
    'dismissReviewItem',
    'erasePatient',
    'exportPatient',
    'generateSlots',
    'holdSlot',
    'ignoreFinding',
    'importAppointments',
    'importDoctors',
    'importPatients',
    'importSchedules',
    'inviteAccount',
    'joinWaitlist',
    'leaveWaitlist',
    'markAllNotificationsRead',
    'markNoShow',
    'markNotificationRead',
    'markNotificationUnread',
    'openConsultation',
    'openPatientRecord',
    'pauseWebhookSubscription',
    'proposeSlot',
    'reactivateAccount',
    'reactivateDoctor',
    'reactivatePatient',
    'recordVitals',
    'releaseReviewItem',
    'removeParticipant',
    'repairAllSafe',
    'repairFinding',
    'replaceSchedule',
    'requestAppointment',
    'rescheduleAppointment',
    'resendInvitation',
    'resendWebhookDelivery',
    'resetSecondFactor',
    'resolveHealthAlert',
    'resolveReviewItem',
    'resolveStageAlert',
    'resumeWebhookSubscription',
    'retryDelivery',
    'reviewEmergencyAccess',
    'revokeCalendarFeed',
    'revokeEmergencyAccess',
    'revokeInvitation',
    'revokeOtherSessions',
    'revokeSession',
    'rotateWebhookSecret',
    'runHealthChecks',
    'runJob',
    'sendTestWebhook',
    'setDoctorAvailability',
    'setNotificationPreference',
    'setQuietHours',
    'startConsultation',
    'unblockPatient',
    'unblockSlot',
    'undoNoShow',
    'unignoreFinding',
    'updateConsultation',
    'updateDoctor',
    'updateHealthSettings',
    'updateHospitalSettings',
    'updateLocation',
    'updateSecuritySettings',
    'updateService',
    'updateWebhookSubscription',
  ]);
});
