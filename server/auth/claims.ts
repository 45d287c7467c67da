/** What an account may do in its hospital; the words of the database. */
export const ROLES = ['patient', 'doctor', 'nurse', 'receptionist', 'admin'] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Who a request speaks for, as its access token said. */
export type Claims = {
  hospitalId: string;
  accountId: string;
  role: Role;
  /** Only of role doctor. */
  doctorId: string | null;
  /** Only of role patient. */
  patientId: string | null;
  sessionId: string;
};

/** The list of what a token's role may become in the database; nothing else ever reaches SET ROLE. */
const DATABASE_ROLE: Readonly<Record<Role, string>> = {
  patient: 'app_patient',
  doctor: 'app_doctor',
  nurse: 'app_nurse',
  receptionist: 'app_receptionist',
  admin: 'app_admin',
};

/**
 * The settings under which the transaction of a request runs: its database role and its claims.
 * Null claims are somebody who is not logged in.
 */
export function claimsToSettings(
  claims: Claims | null,
  requestId: string | undefined,
  client?: { ipPrefix: string; device: string },
): Record<string, string> {
  const request = {
    ...(requestId === undefined ? null : { 'claims.request_id': requestId }),
    ...(client && { 'claims.ip_prefix': client.ipPrefix, 'claims.device': client.device }),
  };
  if (claims === null) return { role: 'app_anonymous', 'claims.role': 'anonymous', ...request };
  return {
    role: DATABASE_ROLE[claims.role],
    'claims.role': claims.role,
    'claims.hospital_id': claims.hospitalId,
    'claims.account_id': claims.accountId,
    'claims.doctor_id': claims.doctorId ?? '',
    'claims.patient_id': claims.patientId ?? '',
    'claims.session_id': claims.sessionId,
    ...request,
  };
}
