import 'postgraphile';
import 'postgraphile/graphile-build-pg';

/** What the arguments of functions mean; the database can comment a function, but not its arguments. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  appointmentId: 'The appointment.',
  dateOfBirth: 'Date of birth.',
  doctorId: 'The doctor; where it may be left out, all doctors.',
  email: 'E-mail address.',
  firstDay: 'First local day.',
  idempotencyKey:
    'A UUID that you make for this wish; send the same one when you repeat the request.',
  lastDay: 'Last local day, included.',
  medicalRecordNumber: "The hospital's own number of the patient, unique in the hospital.",
  name: 'Full name.',
  newSlotId: 'The slot to move to.',
  notificationId: 'The notification.',
  patientId: 'The patient; a patient may only name themselves.',
  phone: 'Telephone number.',
  reason: 'Why, in plain words; at most 2000 characters.',
  serviceId: 'The kind of visit; left out: a visit as long as the slot.',
  slotId: 'The slot.',
  startingBefore: 'Only slots that start before this; left out: to the end of the booking horizon.',
  startingFrom: 'Only slots that start then or later; left out: from now on.',
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
