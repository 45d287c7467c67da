import { describe, expect, test } from 'vitest';
import { as, asOwner, become, committedAs, rolledBack } from '../helpers/actors.ts';
import { createDatabase } from '../helpers/database.ts';
import { type Actor, createHospital, insert } from '../helpers/hospital.ts';
import { outcomeOf, race, untilBlocked } from '../helpers/races.ts';
import { refusalOf, scenarioOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

const ROLE = 'select app_public.change_account_role($1, $2, $3)';

/** A hospital with a second admin. */
async function withTwoAdmins() {
  const hospital = await createHospital(ownerPool);
  const accountId = await insert(ownerPool, 'account', {
    hospital_id: hospital.id,
    email: `admin2@${hospital.slug}.test`,
    display_name: 'Second admin',
    role: 'admin',
  });
  const second: Actor = { hospitalId: hospital.id, role: 'admin', accountId };
  return { ...hospital, second };
}

describe('the last admin', () => {
  test('is neither demoted nor deactivated, not even by hand', async () => {
    const hospital = await createHospital(ownerPool);
    await rolledBack(ownerPool, async (db) => {
      for (const change of ["role = 'nurse'", 'is_active = false']) {
        const { scenario } = await refusalOf(db, () =>
          db.query(`update app_public.account set ${change} where id = $1`, [
            hospital.admin.accountId,
          ]),
        );
        expect(scenario).toBe('last_admin');
      }
    });
  });

  test('two admins who demote each other at once: one does', async () => {
    const hospital = await withTwoAdmins();
    const { admin, second } = hospital;
    await race(ownerPool, async (start) => {
      const [one, two] = [await start(admin), await start(second)];
      await one.db.query(ROLE, [second.accountId, 'nurse', null]);
      const attempt = outcomeOf(two.db.query(ROLE, [admin.accountId, 'nurse', null]));
      expect(await untilBlocked(ownerPool, two.pid, attempt)).toEqual([one.pid]);
      await one.commit();
      expect(await attempt).toBe('forbidden');
    });
    const { rows } = await ownerPool.query(
      "select id from app_public.account where hospital_id = $1 and role = 'admin'",
      [hospital.id],
    );
    expect(rows).toEqual([{ id: admin.accountId }]);
  });

  test('two admins deactivated by hand at once: one is', async () => {
    const { admin, second } = await withTwoAdmins();
    const off = 'update app_public.account set is_active = false where id = $1';
    await race(ownerPool, async (start) => {
      const [one, two] = [await start(), await start()];
      await one.db.query(off, [second.accountId]);
      const attempt = outcomeOf(two.db.query(off, [admin.accountId]));
      await untilBlocked(ownerPool, two.pid, attempt);
      await one.commit();
      expect(await attempt).toBe('last_admin');
    });
  });
});

describe('changing what an account may do', () => {
  test('ends its sessions, voids its links and is written down', async () => {
    const hospital = await withTwoAdmins();
    await rolledBack(ownerPool, async (db) => {
      const { accountId } = hospital.nurse;
      await db.query(
        `insert into app_private.session (hospital_id, account_id, expires_at)
         values ($1, $2, now() + interval '1 day')`,
        [hospital.id, accountId],
      );
      await db.query('select app_private.request_password_reset($1, $2)', [
        hospital.slug,
        `nurse@${hospital.slug}.test`,
      ]);
      await become(db, hospital.admin);
      await db.query(ROLE, [accountId, 'receptionist', null]);
      await db.query('select app_public.deactivate_account($1)', [accountId]);
      await db.query('select app_public.reactivate_account($1)', [accountId]);
      const { rows: events } = await db.query(
        'select kind, actor_account_id, details from app_public.security_event where account_id = $1 order by id',
        [accountId],
      );
      expect(events.map(({ kind }) => kind)).toEqual([
        'reset_requested',
        'role_changed',
        'account_deactivated',
        'account_reactivated',
      ]);
      expect(events[1]).toMatchObject({
        actor_account_id: hospital.admin.accountId,
        details: { from: 'nurse', to: 'receptionist' },
      });
      await asOwner(db);
      const { rows } = await db.query(
        `select (select count(*)::int from app_private.session where account_id = $1 and ended_at is null) as open,
           (select count(*)::int from app_private.login_token where account_id = $1) as links,
           (select count(*)::int from app_private.outbox where topic = 'session' and hospital_id = $2) as told`,
        [accountId, hospital.id],
      );
      expect(rows).toEqual([{ open: 0, links: 0, told: 1 }]);
    });
  });

  test('is never of oneself, of a patient, or to what nobody can be', async () => {
    const hospital = await withTwoAdmins();
    const attempts: [string, unknown[], string][] = [
      [ROLE, [hospital.admin.accountId, 'nurse', null], 'own_account'],
      ['select app_public.deactivate_account($1)', [hospital.admin.accountId], 'own_account'],
      ['select app_public.reset_second_factor($1)', [hospital.admin.accountId], 'own_account'],
      [
        'select app_public.reset_second_factor($1)',
        [hospital.nurse.accountId],
        'second_factor_not_found',
      ],
      [ROLE, [hospital.patient.accountId, 'nurse', null], 'role_not_possible'],
      [ROLE, [hospital.nurse.accountId, 'patient', null], 'role_not_possible'],
      [ROLE, [hospital.nurse.accountId, 'doctor', null], 'role_not_possible'],
      [ROLE, [hospital.nurse.accountId, 'doctor', hospital.doctorIds[0]], 'doctor_has_account'],
      [ROLE, [hospital.id, 'nurse', null], 'account_not_found'],
    ];
    await rolledBack(ownerPool, async (db) => {
      await become(db, hospital.admin);
      for (const [sql, values, scenario] of attempts) {
        expect((await refusalOf(db, () => db.query(sql, values))).scenario, sql).toBe(scenario);
      }
    });
  });

  test('is for admins of the same hospital', async () => {
    const [hospital, foreign] = [await createHospital(ownerPool), await createHospital(ownerPool)];
    const attempt = (actor: Actor) =>
      committedAs(ownerPool, actor, (db) =>
        db.query(ROLE, [hospital.nurse.accountId, 'admin', null]),
      ).catch(scenarioOf);
    for (const actor of [
      hospital.nurse,
      hospital.doctor,
      hospital.receptionist,
      hospital.patient,
    ]) {
      expect(await attempt(actor), actor.role).toBe('42501');
    }
    expect(await attempt(foreign.admin)).toBe('account_not_found');
  });

  test('an admin who lost the role a moment ago changes nothing with an old token', async () => {
    const { admin, nurse, second } = await withTwoAdmins();
    await committedAs(ownerPool, admin, (db) => db.query(ROLE, [second.accountId, 'nurse', null]));
    await rolledBack(ownerPool, async (db) => {
      const stale = await as(db, second);
      const { scenario } = await refusalOf(db, () =>
        stale.query('select app_public.deactivate_account($1)', [nurse.accountId]),
      );
      expect(scenario).toBe('forbidden');
    });
  });
});

describe('one’s own sessions', () => {
  test('are seen and ended, and nobody else’s', async () => {
    const hospital = await createHospital(ownerPool);
    await rolledBack(ownerPool, async (db) => {
      const open = async (actor: Actor): Promise<string> => {
        const { rows } = await db.query<{ id: string }>(
          `insert into app_private.session (hospital_id, account_id, expires_at, device, ip_prefix)
           values ($1, $2, now() + interval '1 day', 'Firefox on Linux', '10.0.0.0/24') returning id`,
          [hospital.id, actor.accountId],
        );
        return rows[0]?.id ?? '';
      };
      const [present, other, third] = [
        await open(hospital.patient),
        await open(hospital.patient),
        await open(hospital.patient),
      ];
      const foreign = await open(hospital.nurse);
      await become(db, hospital.patient);
      await db.query("select set_config('claims.session_id', $1, true)", [present]);
      const { rows } = await db.query('select * from app_public.my_sessions()');
      expect(rows.map(({ id }) => id).sort()).toEqual([present, other, third].sort());
      expect(rows.filter((row) => row.is_current).map(({ id }) => id)).toEqual([present]);
      expect(rows[0]).toMatchObject({ device: 'Firefox on Linux', ip_prefix: '10.0.0.0/24' });
      const { scenario } = await refusalOf(db, () =>
        db.query('select app_public.revoke_session($1)', [foreign]),
      );
      expect(scenario).toBe('session_not_found');
      await db.query('select app_public.revoke_session($1)', [other]);
      const { rows: ended } = await db.query('select app_public.revoke_other_sessions() as count');
      expect(ended).toEqual([{ count: 1 }]);
      const left = await db.query('select id from app_public.my_sessions()');
      expect(left.rows).toEqual([{ id: present }]);
      await asOwner(db);
      const told = await db.query(
        "select from app_private.outbox where topic = 'session' and hospital_id = $1",
        [hospital.id],
      );
      expect(told.rowCount).toBe(2);
    });
  });
});
