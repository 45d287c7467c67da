/**
 * A hospital as a few lines of arithmetic, without a database: what each operation may answer and what it
 * leaves behind. It repeats the rules in the plainest way that can be right, so that the two can be
 * compared. Times are minutes from 09:00 of the day that the story books in; a slot lasts half an hour.
 */
export type Model = {
  /** Minutes since the story began; holds are counted by them. */
  now: number;
  slots: Slot[];
  visits: Visit[];
  doctors: { isAvailable: boolean; isAbsent: boolean }[];
};

/** A slot; its place in `Model.slots` names it. */
export type Slot = { doctor: number; start: number; capacity: number; isBlocked: boolean };

/** An appointment. */
export type Visit = {
  status: Status;
  /** Places of the slots whose seats it takes, the one that it begins in first. */
  seats: number[];
  doctor: number;
  patient: number;
  service: Service;
  start: number;
  heldUntil: number;
};

export type Status =
  | 'requested'
  | 'held'
  | 'scheduled'
  | 'confirmed'
  | 'checked_in'
  | 'completed'
  | 'cancelled'
  | 'expired';

/** Kinds of visit: as long as the slot, an hour, and one with a quarter kept free before and after. */
export const services = {
  usual: { length: 30, before: 0, after: 0 },
  hour: { length: 60, before: 0, after: 0 },
  buffered: { length: 30, before: 15, after: 15 },
} as const;
export type Service = keyof typeof services;

/** Who acts: a role, and which doctor or patient that is. */
export type Who = {
  role: 'patient' | 'doctor' | 'nurse' | 'receptionist' | 'admin';
  self?: number;
};

/** `done`, or the scenario of the refusal. */
export type Answer = string;

const slotLength = 30;
const holdLength = 5;
export const offerLength = 10;
const dailyLimit = 4;

export function holdsSeat({ status }: Visit): boolean {
  return ['held', 'scheduled', 'confirmed', 'checked_in'].includes(status);
}

/** The seats that a slot counts, lapsed holds included. */
export function countOf(model: Model, place: number): number {
  return model.visits.filter((visit) => holdsSeat(visit) && visit.seats.includes(place)).length;
}

/** The visits that a doctor's day counts, lapsed holds included. */
export function dayOf(model: Model, doctor: number): number {
  return model.visits.filter((visit) => holdsSeat(visit) && visit.doctor === doctor).length;
}

function isLapsed(model: Model, { status, heldUntil }: Visit): boolean {
  return status === 'held' && heldUntil <= model.now;
}

/** Whether a hold has lapsed that nobody has expired yet. */
export function hasLapsed(model: Model): boolean {
  return model.visits.some((visit) => isLapsed(model, visit));
}

/** What stands in the way of others: seats that are held and have not lapsed. */
function standing(model: Model, except?: Visit): Visit[] {
  return model.visits.filter(
    (visit) => visit !== except && holdsSeat(visit) && !isLapsed(model, visit),
  );
}

/** The slots that a visit needs, the one that it begins in first; undefined where they are not there. */
function neededSlots(model: Model, place: number, service: Service): number[] | undefined {
  const first = model.slots[place];
  if (!first) return undefined;
  const { length, before, after } = services[service];
  const touched = model.slots.flatMap(({ doctor, start }, each) =>
    doctor === first.doctor &&
    start < first.start + length + after &&
    start + slotLength > first.start - before
      ? [{ each, start }]
      : [],
  );
  const last = first.start + length - slotLength;
  const fits = touched.some(({ start }) => start === last);
  return fits
    ? [place, ...touched.map(({ each }) => each).filter((each) => each !== place)]
    : undefined;
}

export type Wish = { place: number; patient: number; service: Service };

/** The first rule that stands in the way, in the order of the house; undefined: none does. */
export function firstBroken(model: Model, wish: Wish, moving?: Visit): Answer | undefined {
  const slot = model.slots[wish.place];
  if (!slot) return 'slot_not_found';
  const needed = neededSlots(model, wish.place, wish.service);
  const places = needed ?? [wish.place];
  const others = standing(model, moving);
  const end = slot.start + services[wish.service].length;
  const isElsewhere = others.some(
    (other) =>
      other.patient === wish.patient &&
      other.start < end &&
      other.start + services[other.service].length > slot.start,
  );
  const isFull = (place: number) =>
    others.filter(({ seats }) => seats.includes(place)).length >=
    (model.slots[place]?.capacity ?? 0);
  const rules: [boolean, Answer][] = [
    [isElsewhere, 'patient_double_booked'],
    [!model.doctors[slot.doctor]?.isAvailable, 'doctor_unavailable'],
    [Boolean(model.doctors[slot.doctor]?.isAbsent), 'doctor_absent'],
    [places.some((place) => model.slots[place]?.isBlocked), 'slot_blocked'],
    [places.some(isFull), 'slot_booked'],
    [needed === undefined, 'time_outside_slot'],
    [
      others.filter(({ doctor }) => doctor === slot.doctor).length >= dailyLimit,
      'daily_limit_reached',
    ],
  ];
  return rules.find(([isBroken]) => isBroken)?.[1];
}

/** Seats a visit that nothing stands in the way of; lapsed holds in the way expire. */
function seat(model: Model, wish: Wish): Pick<Visit, 'seats' | 'doctor' | 'start'> {
  const slot = model.slots[wish.place] as Slot;
  for (const visit of model.visits) {
    const isInTheWay = visit.doctor === slot.doctor || visit.patient === wish.patient;
    if (isLapsed(model, visit) && isInTheWay) visit.status = 'expired';
  }
  return {
    seats: neededSlots(model, wish.place, wish.service) ?? [],
    doctor: slot.doctor,
    start: slot.start,
  };
}

/** Books or holds. */
export function place(model: Model, who: Who, status: 'scheduled' | 'held', wish: Wish): Answer {
  if (who.role === 'patient' && who.self !== wish.patient) return 'forbidden';
  const broken = firstBroken(model, wish);
  if (broken) return broken;
  if (who.role === 'doctor' && model.slots[wish.place]?.doctor !== who.self) return 'forbidden';
  const { patient, service } = wish;
  const heldUntil = model.now + holdLength;
  model.visits.push({ ...seat(model, wish), status, patient, service, heldUntil });
  return 'done';
}

/** Asks for a doctor's time: a booking where nothing stands in the way, else a request without a seat. */
export function request(model: Model, who: Who, wish: Wish): Answer {
  if (who.role === 'patient' && who.self !== wish.patient) return 'forbidden';
  const { doctor, start } = model.slots[wish.place] as Slot;
  const isMadeAlready = model.visits.some(
    (visit) =>
      visit.status === 'requested' &&
      visit.patient === wish.patient &&
      visit.doctor === doctor &&
      visit.start === start,
  );
  if (isMadeAlready) return 'request_already_made';
  const broken = firstBroken(model, wish);
  if (who.role === 'doctor' && doctor !== who.self) return 'forbidden';
  if (!broken) return place(model, who, 'scheduled', wish);
  // Whether there is room is for the one who answers; everything before that refuses at once.
  if (['patient_double_booked', 'doctor_unavailable', 'doctor_absent'].includes(broken)) {
    return broken;
  }
  const { patient, service } = wish;
  model.visits.push({
    status: 'requested',
    seats: [],
    doctor,
    start,
    patient,
    service,
    heldUntil: 0,
  });
  return 'done';
}

/** Answers a request: accepts it where it asks for, proposes another slot, or declines it. */
export function answer(
  model: Model,
  who: Who,
  visit: Visit,
  how: 'accept' | 'propose' | 'decline',
  proposed: number,
): Answer {
  if (who.role === 'patient' || who.role === 'nurse') return 'forbidden';
  if (who.role === 'doctor' && visit.doctor !== who.self) return 'forbidden';
  if (visit.status !== 'requested') return 'illegal_transition';
  if (how === 'decline') {
    visit.status = 'cancelled';
    return 'done';
  }
  const asked = model.slots.findIndex(
    ({ doctor, start }) => doctor === visit.doctor && start === visit.start,
  );
  const to = how === 'accept' ? asked : proposed;
  const wish = { place: to, patient: visit.patient, service: visit.service };
  const broken = firstBroken(model, wish);
  if (broken) return broken;
  if (who.role === 'doctor' && model.slots[to]?.doctor !== who.self) return 'forbidden';
  Object.assign(visit, seat(model, wish));
  visit.status = how === 'accept' ? 'scheduled' : 'held';
  visit.heldUntil = model.now + offerLength;
  return 'done';
}

/** One more seat in a slot. */
export function addSeat(model: Model, who: Who, at: number): Answer {
  const slot = model.slots[at] as Slot;
  if (who.role === 'patient') return 'forbidden';
  if (who.role === 'doctor' && slot.doctor !== who.self) return 'forbidden';
  slot.capacity += 1;
  return 'done';
}

const staff = ['doctor', 'nurse', 'receptionist', 'admin'];
const everybody = ['patient', ...staff];

/** The state machine, as far as people move it here. */
const transitions: Readonly<Record<string, readonly string[]>> = {
  'requested cancelled': everybody,
  'held scheduled': everybody,
  'held cancelled': everybody,
  'scheduled confirmed': everybody,
  'scheduled checked_in': staff,
  'confirmed checked_in': staff,
  'scheduled completed': ['doctor'],
  'confirmed completed': ['doctor'],
  'checked_in completed': ['doctor'],
  'scheduled cancelled': everybody,
  'confirmed cancelled': everybody,
};

/** Whom a visit does not exist for, and who may only look at it. */
function reach(who: Who, visit: Visit): Answer | undefined {
  if (who.role === 'patient' && visit.patient !== who.self) return 'appointment_not_found';
  if (who.role === 'doctor' && visit.doctor !== who.self) return 'forbidden';
  return undefined;
}

/** Changes a state by the function that is named after the change. */
export function change(model: Model, who: Who, visit: Visit, to: Status): Answer {
  if (who.role === 'patient' && (to === 'checked_in' || to === 'completed')) return 'forbidden';
  const outOfReach = reach(who, visit);
  // Confirming a hold looks at the state first, wherever the state may be seen.
  if (to === 'scheduled' && visit.status !== 'held' && outOfReach !== 'appointment_not_found') {
    return 'illegal_transition';
  }
  if (outOfReach) return outOfReach;
  const roles = transitions[`${visit.status} ${to}`];
  if (!roles) return 'illegal_transition';
  if (!roles.includes(who.role)) return 'forbidden';
  if (to === 'scheduled' && isLapsed(model, visit)) return 'hold_expired';
  visit.status = to;
  return 'done';
}

/** Moves a visit to another slot. */
export function move(model: Model, who: Who, visit: Visit, to: number): Answer {
  const outOfReach = reach(who, visit);
  if (outOfReach) return outOfReach;
  if (visit.status !== 'scheduled' && visit.status !== 'confirmed') return 'illegal_transition';
  if (visit.seats[0] === to) return 'already_in_slot';
  const wish = { place: to, patient: visit.patient, service: visit.service };
  const broken = firstBroken(model, wish, visit);
  if (broken) return broken;
  if (who.role === 'doctor' && model.slots[to]?.doctor !== who.self) return 'forbidden';
  Object.assign(visit, seat(model, wish));
  return 'done';
}

/** Blocks a slot by hand, or unblocks it. */
export function block(model: Model, who: Who, at: number, isBlocked: boolean): Answer {
  const slot = model.slots[at] as Slot;
  if (who.role === 'patient') return 'forbidden';
  if (slot.isBlocked === isBlocked) return isBlocked ? 'slot_is_blocked' : 'slot_is_not_blocked';
  if (who.role === 'doctor' && slot.doctor !== who.self) return 'forbidden';
  slot.isBlocked = isBlocked;
  return 'done';
}

/** Sends a doctor away for the whole day, or lets them come back; an emergency cancels what is ahead. */
export function leave(
  model: Model,
  who: Who,
  doctor: number,
  isAway: boolean,
  isEmergency = false,
): Answer {
  const them = model.doctors[doctor];
  if (!them || who.role === 'patient' || who.role === 'nurse') return 'forbidden';
  if (them.isAbsent === isAway) return isAway ? 'absence_overlaps' : 'absence_not_found';
  them.isAbsent = isAway;
  if (isAway && isEmergency) cancelAhead(model, doctor);
  return 'done';
}

/** Every lapsed hold ends. */
export function sweep(model: Model): void {
  for (const visit of model.visits) if (isLapsed(model, visit)) visit.status = 'expired';
}

/** A doctor takes nobody any more, and loses every visit ahead; or takes patients again. */
export function turn(model: Model, doctor: number, isAvailable: boolean): void {
  const them = model.doctors[doctor];
  if (!them) return;
  them.isAvailable = isAvailable;
  if (!isAvailable) cancelAhead(model, doctor);
}

function cancelAhead(model: Model, doctor: number): void {
  for (const visit of model.visits) {
    const isAhead = ['requested', 'held', 'scheduled', 'confirmed'].includes(visit.status);
    if (visit.doctor === doctor && isAhead) visit.status = 'cancelled';
  }
}
