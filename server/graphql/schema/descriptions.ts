import 'postgraphile';
import 'postgraphile/graphile-build-pg';

/** What the arguments of functions mean; the database can comment a function, but not its arguments. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  absenceId: 'The absence.',
  accountId: 'The account.',
  alertId: 'The alert.',
  appointmentId: 'The appointment.',
  beyond:
    'Position of the last row that you have; only what comes after it. Left out: from the start.',
  bookingHorizonDays: 'How many days ahead of today can be booked, 1 to 365.',
  bufferAfter: 'Time of the doctor kept free after the visit, up to 2 hours.',
  bufferBefore: 'Time of the doctor kept free before the visit, up to 2 hours.',
  channel: 'By which channel.',
  checkNames: 'Names of health checks, of the list healthChecks; left out: all.',
  chiefComplaint: 'Why the patient came, at most 2000 characters; left out: as it is.',
  clear: 'Names of columns that become empty; a null leaves a column as it is.',
  comment: 'What there is to say of it; at most 2000 characters.',
  consultationId: 'The consultation.',
  corrects: 'The earlier measurement that this one replaces.',
  date: 'The local day; of a holiday that returns, any of its days.',
  dateOfBirth: 'Date of birth.',
  day: 'Local day; left out: today.',
  deliveryId: 'The delivery.',
  diagnosis: 'What was found, one text each, at most 50; left out: as it is.',
  diastolic: 'Diastolic blood pressure in mmHg, 10 to 250.',
  displayName: 'Name for people.',
  doctorAlertBuffer:
    "Grace beyond the slot's length before a patient waiting for the doctor raises an alert.",
  doctorId: 'The doctor; where it may be left out, all doctors.',
  duration: 'How long the visit takes, 5 minutes to 8 hours; left out: as long as the slot.',
  earliestTime: 'Earliest local start that suits; left out: any.',
  effectiveFrom: 'First local day on which the new week holds: today or later.',
  effectiveUntil:
    'Last local day on which it holds, after which the old week holds again; left out: for good.',
  email: 'E-mail address.',
  emergencyAccessDuration: 'How long an emergency access opens a record, 5 minutes to a day.',
  emergencyAccessId: 'The emergency access.',
  endTime: 'Local time until which, for hours of one day; left out: whole days.',
  entryId: 'The place on the waitlist.',
  events: 'Names of events, of the list webhookEvents.',
  everyDays: 'Days from one occurrence to the next, 1 to 366.',
  externalEventType: 'Event type of the service in an external calendar.',
  feedId: 'The calendar feed.',
  findingId: 'The finding.',
  firstDay: 'First local day.',
  firstStartsAt: 'Start of the first occurrence; the others begin at the same local time.',
  fromDay: 'First local day.',
  generatedDays: 'How many days ahead slots are stored, 1 to 365.',
  groupBy: 'What the visits are counted by; left out: by doctor.',
  heartRate: 'Heart beats a minute, 10 to 350.',
  healthAlertId: 'The health alert.',
  healthAlertQuietPeriod:
    'How long nobody is told of the same health alert again, a minute to a day.',
  healthChatRoom:
    "Room of the chat that is told of health alerts, as the operator's gateway knows it.",
  height: 'Height in centimetres, 15 to 280.',
  holdDuration: 'How long a held slot waits for its confirmation, up to an hour.',
  holidayId: 'The holiday.',
  idempotencyKey:
    'A UUID that you make for this wish; send the same one when you repeat the request.',
  instant: 'The instant.',
  invitationId: 'The invitation.',
  isActive: 'Whether it is in use.',
  isAllOrNothing:
    'True, or left out: one occurrence that cannot be booked refuses all. False: those that can be are booked.',
  isAvailable: 'Whether the doctor takes appointments.',
  isDryRun: 'Whether everything is only tried: all faults are told, nothing is stored.',
  isOn: 'True: also where you would not be told by this channel. False: not by this channel.',
  isRecurring: 'Whether the holiday returns every year, on its month and day.',
  isSecondFactorRequired: 'Whether admins get no session without a second factor.',
  job: 'Name of the job.',
  logKeptDays: 'For how many days the log of what happened is kept, 1 to 3650.',
  keptYears: 'How many past calendar years ended appointments stay among the current ones.',
  knownHash: 'Hash of a seal that you kept; left out: none.',
  lastDay: 'Last local day, included.',
  latestTime: 'Latest local start that suits; left out: any.',
  locationId: 'The location; where it may be left out, all of the hospital.',
  maxPatientsPerDay: 'Most appointments a local day, 1 to 500.',
  medicalRecordNumber: "The hospital's own number of the patient, unique in the hospital.",
  message: 'What the patient is told with it; at most 2000 characters.',
  name: 'Name for people; of a patient the full name.',
  newSlotId: 'The slot to move to.',
  noShowBlockThreshold: 'Number of no-shows at which a patient is blocked.',
  noShowWindowEnd: 'Local time until which no-shows are marked automatically.',
  noShowWindowStart: 'Local time from which no-shows are marked automatically.',
  note: 'What there is to note; at most 2000 characters.',
  notes: 'Working notes, at most 20000 characters; left out: as they are.',
  notificationId: 'The notification.',
  occurrenceCount: 'How many occurrences, 2 to 52.',
  offerDuration: "How long an offered seat waits for the patient's answer, 5 minutes to 3 days.",
  oxygenSaturation: 'Oxygen saturation (SpO2) in percent, 30 to 100.',
  pageSize: 'How many rows at most, from 1 to 100; 50 when left out.',
  patientId: 'The patient; a patient may only name themselves.',
  phone: 'Telephone number.',
  purpose: 'What for, as the patient will read it; at most 500 characters.',
  quietFrom: 'Local time from which you are not disturbed.',
  quietUntil: 'Local time until which you are not disturbed; may lie on the next day.',
  reason: 'Why, in plain words; at most 2000 characters.',
  rebookBuffer:
    'A slot freed by a no-show is bookable again only if it starts later than this from now.',
  reminderOffsets:
    'How long before their visit patients are reminded: 1 to 5 distinct spans of 5 minutes to 30 days.',
  respiratoryRate: 'Breaths a minute, 2 to 120.',
  reviewItemId: 'The review.',
  role: 'What the account may do (any role but patient), or as what a doctor takes part.',
  rows: 'Of a week its stretches of work, none where the doctor does not work; of an import what it brings, 1 to 1000.',
  sealedFrom: 'Only what was sealed from this instant on; left out: from the first seal.',
  sealedUntil: 'Only what was sealed up to this instant; left out: up to now.',
  securityEventsKeptDays: 'How many days security events are kept, 30 to 3650.',
  seriesId: 'The series.',
  serviceId: 'The kind of visit; left out: a visit as long as the slot.',
  sessionId: 'The session.',
  slotDuration: "Length of the doctor's slots, 5 minutes to 8 hours.",
  slotId: 'The slot.',
  specialty: 'Field of medicine, exactly as it is written in that of the doctors.',
  staffNumber: "The hospital's own number of the doctor, unique in the hospital.",
  startTime: 'Local time from which, for hours of one day; left out: whole days.',
  startingBefore: 'Only slots that start before this; left out: to the end of the booking horizon.',
  startingFrom: 'Only slots that start then or later; left out: from now on.',
  startsAt: 'Start of the visit that is wished for.',
  subscriptionId: 'The webhook subscription.',
  systolic: 'Systolic blood pressure in mmHg, 30 to 300.',
  takeOver: 'Whether you take it over from whom it is claimed by; left out: no.',
  temperature: 'Body temperature in degrees Celsius, 20 to 45.',
  text: 'What is to be added; at most 10000 characters.',
  timeZone: 'IANA name of a time zone, such as Asia/Kolkata.',
  toDay: 'Last local day, included.',
  topic:
    'An event, or appointments, requests, waitlist, reminders, security, work or all; an event goes before its group, a group before all.',
  type: 'Kind of absence; emergency cancels the appointments that it touches.',
  verdict: 'Whether it was justified.',
  until: 'Until when; left out: for good.',
  vitalsAlertBuffer:
    "Grace beyond the slot's length before a checked-in patient without vitals raises an alert.",
  url: 'Where requests go: https, unless the operator allows private targets; without credentials.',
  weekdays: 'Only these days of the week, 1 Monday to 7 Sunday; left out: all.',
  weight: 'Weight in kilograms, up to 700.',
};

const IS_RESULT_DESCRIBED = new Set(['clientMutationId', 'query']);

/** Describes what PostGraphile leaves bare: arguments of functions, and what a mutation returns. */
export const DescriptionsPlugin: GraphileConfig.Plugin = {
  name: 'DescriptionsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLInputObjectType_fields_field(field, _build, { scope }) {
        const description = ARGUMENTS[scope.fieldName];
        return description === undefined || field.description ? field : { ...field, description };
      },
      GraphQLObjectType_fields_field_args(args, build, { scope }) {
        if (!scope.isRootQuery) return args;
        for (const [name, arg] of Object.entries(args)) {
          const description = ARGUMENTS[name];
          if (description !== undefined && !arg.description) {
            args[name] = build.extend(arg, { description }, 'Describing an argument');
          }
        }
        return args;
      },
      GraphQLObjectType_fields_field(field, _build, { scope }) {
        if (!scope.isMutationPayload || IS_RESULT_DESCRIBED.has(scope.fieldName)) return field;
        if (field.description) return field;
        const noun = scope.fieldName.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
        return { ...field, description: `The ${noun}, as the mutation left it.` };
      },
    },
  },
};
