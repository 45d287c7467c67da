/** Password of every demo account. It is public; the demo is not loaded into a real database. */
export const DEMO_PASSWORD = 'open-the-demo';

/** The five logins of each demo hospital: the part before the @, and the role. */
export const DEMO_ACCOUNTS = [
  ['admin', 'admin'],
  ['reception', 'receptionist'],
  ['nurse', 'nurse'],
  ['doctor', 'doctor'],
  ['patient', 'patient'],
] as const;

/** E-mail address of a demo login. */
export function demoEmail(name: string, slug: string): string {
  return `${name}@${slug}.test`;
}
