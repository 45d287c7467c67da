import { describe, expect, test } from 'vitest';
import { asWorker, become, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { errorOf, refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();
const hospital = await createHospital(ownerPool);
const foreign = await createHospital(ownerPool);

test('admins read those of their hospital, everybody else their own, nobody writes', () =>
  rolledBack(ownerPool, async (db) => {
    for (const { id, nurse } of [hospital, foreign]) {
      await db.query(
        `insert into app_public.security_event (hospital_id, kind, account_id)
         values ($1, 'login', $2), ($1, 'login_failed', null)`,
        [id, nurse.accountId],
      );
    }
    for (const [actor, count] of [
      [hospital.admin, 2],
      [hospital.nurse, 1],
      [hospital.patient, 0],
      [hospital.doctor, 0],
    ] as const) {
      await become(db, actor);
      expect((await db.query('select from app_public.security_event')).rowCount, actor.role).toBe(
        count,
      );
      for (const sql of [
        `insert into app_public.security_event (hospital_id, kind) values ('${hospital.id}', 'login')`,
        "update app_public.security_event set kind = 'login'",
        'delete from app_public.security_event',
      ]) {
        expect((await errorOf(db, () => db.query(sql))).code).toBe('42501');
      }
    }
  }));

test('not even a hand in psql changes or deletes one', () =>
  rolledBack(ownerPool, async (db) => {
    await db.query(
      "insert into app_public.security_event (hospital_id, kind) values ($1, 'login')",
      [hospital.id],
    );
    for (const sql of [
      "update app_public.security_event set kind = 'locked'",
      'delete from app_public.security_event',
    ]) {
      expect((await refusalOf(db, () => db.query(sql))).scenario).toBe('audit_is_append_only');
    }
  }));

describe('failed logins', () => {
  test('of no account are counted without the address', () =>
    rolledBack(ownerPool, async (db) => {
      await db.query('select app_private.record_unknown_login($1)', [hospital.slug]);
      await db.query("select app_private.record_unknown_login('elsewhere')");
      const { rows } = await db.query(
        'select hospital_id, kind, account_id, details from app_public.security_event',
      );
      expect(rows).toEqual([
        { hospital_id: hospital.id, kind: 'login_failed', account_id: null, details: {} },
      ]);
    }));

  test('that lock the account say so', () =>
    rolledBack(ownerPool, async (db) => {
      const { accountId } = hospital.nurse;
      await db.query(
        "insert into app_private.account_secret (hospital_id, account_id, password_hash, failed_attempts) values ($1, $2, '$argon2id$x', 9)",
        [hospital.id, accountId],
      );
      for (const _ of [1, 2]) {
        await db.query('select app_private.record_failed_login($1, $2)', [hospital.id, accountId]);
      }
      const { rows } = await db.query('select kind from app_public.security_event order by id');
      expect(rows.map(({ kind }) => kind)).toEqual(['login_failed', 'locked', 'login_failed']);
    }));
});

test('the night forgets what is older than the hospital keeps, and nothing else', () =>
  rolledBack(ownerPool, async (db) => {
    for (const { id } of [hospital, foreign]) {
      await db.query(
        `insert into app_public.security_event (hospital_id, kind, occurred_at)
         values ($1, 'login', now() - interval '401 days'), ($1, 'login', now() - interval '399 days')`,
        [id],
      );
    }
    await asWorker(db);
    await db.query('select app_private.tidy_login($1)', [hospital.id]);
    await become(db, hospital.admin);
    expect((await db.query('select from app_public.security_event')).rowCount).toBe(1);
    await become(db, foreign.admin);
    expect((await db.query('select from app_public.security_event')).rowCount).toBe(2);
  }));
