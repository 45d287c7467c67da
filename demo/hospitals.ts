/** A weekly working time: days by ISO number (1 Monday), local times, and an optional break. */
export type DemoSchedule = {
  days: readonly number[];
  location: number;
  hours: readonly [start: string, end: string];
  pause?: readonly [start: string, end: string];
  capacity?: number;
};

export type DemoDoctor = {
  name: string;
  specialty: string;
  slotMinutes: number;
  maxPatientsPerDay: number;
  schedules: readonly DemoSchedule[];
};

export type DemoHospital = {
  slug: string;
  name: string;
  timeZone: string;
  locations: readonly string[];
  services: readonly (readonly [name: string, minutes: number | null])[];
  doctors: readonly DemoDoctor[];
  patientCount: number;
};

const WEEKDAYS = [1, 2, 3, 4, 5];

/** 09–17 with a break from 13 to 14, at one location all week. */
const fullDays = (location: number): DemoSchedule[] => [
  { days: WEEKDAYS, location, hours: ['09:00', '17:00'], pause: ['13:00', '14:00'] },
];

/** Three days here, two days there. */
const splitWeek = (first: number, second: number): DemoSchedule[] => [
  { days: [1, 2, 3], location: first, hours: ['08:30', '16:30'], pause: ['12:30', '13:15'] },
  { days: [4, 5], location: second, hours: ['10:00', '18:00'], pause: ['14:00', '14:30'] },
];

/** Mornings without a break, Saturday included. */
const mornings = (location: number, capacity = 1): DemoSchedule[] => [
  { days: [1, 2, 3, 4, 5, 6], location, hours: ['08:00', '12:00'], capacity },
];

const doctor = (
  name: string,
  specialty: string,
  slotMinutes: number,
  maxPatientsPerDay: number,
  schedules: readonly DemoSchedule[],
): DemoDoctor => ({ name, specialty, slotMinutes, maxPatientsPerDay, schedules });

/** The hospitals of the demo: one that never changes its clocks, and one that does. */
export const DEMO_HOSPITALS: readonly DemoHospital[] = [
  {
    slug: 'demo',
    name: 'Demo Hospital',
    timeZone: 'Asia/Kolkata',
    locations: ['Main Building', 'Lakeside Clinic'],
    services: [
      ['Consultation', null],
      ['Short check', 10],
      ['Vaccination', 10],
    ],
    patientCount: 300,
    doctors: [
      doctor('Dr. Asha Rao', 'general medicine', 15, 30, fullDays(0)),
      doctor('Dr. Vikram Mehta', 'general medicine', 20, 25, splitWeek(0, 1)),
      doctor('Dr. Leela Nair', 'paediatrics', 20, 24, fullDays(0)),
      doctor('Dr. Imran Qureshi', 'paediatrics', 15, 30, mornings(1)),
      doctor('Dr. Meera Iyer', 'cardiology', 30, 16, fullDays(0)),
      doctor('Dr. Arjun Das', 'cardiology', 45, 10, splitWeek(1, 0)),
      doctor('Dr. Sunita Kapoor', 'dermatology', 15, 30, splitWeek(0, 1)),
      doctor('Dr. Rahul Bose', 'orthopaedics', 30, 14, fullDays(1)),
      doctor('Dr. Farah Khan', 'gynaecology', 30, 16, fullDays(0)),
      doctor('Dr. Nikhil Joshi', 'neurology', 60, 7, splitWeek(0, 1)),
      doctor('Dr. Priya Menon', 'psychiatry', 60, 6, fullDays(1)),
      doctor('Dr. Kabir Singh', 'vaccination', 10, 60, mornings(0, 3)),
    ],
  },
  {
    slug: 'north',
    name: 'North Hospital',
    timeZone: 'America/New_York',
    locations: ['North Main', 'Riverside'],
    services: [['Consultation', null]],
    patientCount: 60,
    doctors: [
      doctor('Dr. Ellen Ward', 'general medicine', 20, 24, fullDays(0)),
      doctor('Dr. Samuel Ortiz', 'cardiology', 30, 14, splitWeek(0, 1)),
      doctor('Dr. Grace Lin', 'paediatrics', 15, 30, mornings(1)),
    ],
  },
];

const GIVEN_NAMES = [
  'Aarav', 'Ananya', 'Dev', 'Diya', 'Ishaan', 'Kavya', 'Manish', 'Neha', 'Omkar', 'Pooja',
  'Rohan', 'Saanvi', 'Tara', 'Uday', 'Varun', 'Yamini', 'Zoya', 'Harish', 'Jaya', 'Lalit',
]; // biome-ignore format: a list of words
const FAMILY_NAMES = [
  'Acharya', 'Bhatt', 'Chopra', 'Desai', 'Fernandes', 'Gupta', 'Hegde', 'Jain', 'Kulkarni', 'Lobo',
  'Malhotra', 'Naidu', 'Pillai', 'Reddy', 'Sharma',
]; // biome-ignore format: a list of words

/** Name of the patient with this number; 300 different ones. */
export function patientName(number: number): string {
  const given = GIVEN_NAMES[number % GIVEN_NAMES.length];
  const family = FAMILY_NAMES[Math.floor(number / GIVEN_NAMES.length) % FAMILY_NAMES.length];
  return `${given} ${family}`;
}
