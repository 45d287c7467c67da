// How runs remember what checks find: a check made for the test tells of rows of a table made for it.
import type { ClientBase } from 'pg';
import { describe, expect, test } from 'vitest';
import { rolledBack } from '../helpers/actors.ts';
import { moveClock } from '../helpers/clock.ts';
import { createDatabase } from '../helpers/database.ts';
import { createHospital } from '../helpers/hospital.ts';
import { refusalOf } from '../helpers/refusals.ts';

const { ownerPool } = await createDatabase();

describe('a run', () => {
  test('remembers what is found, counts what is found again, resolves what is gone', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a', 'b');
      expect(await run(db, hospitalId)).toMatchObject({
        finding_count: 2,
        new_count: 2,
        resolved_count: 0,
      });
      await mend(db, 'a');
      expect(await run(db, hospitalId)).toMatchObject({
        finding_count: 1,
        new_count: 0,
        resolved_count: 1,
      });
      expect(await findings(db)).toEqual([
        { cache_key: 'sample:a', times_seen: 1, is_open: false },
        { cache_key: 'sample:b', times_seen: 2, is_open: true },
      ]);
    }));

  test('takes a problem that is back for a new one, under the same id', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      const { rows: first } = await db.query('select id, first_seen_at from app_public.finding');
      await mend(db, 'a');
      await moveClock(db, '1 hour');
      await run(db, hospitalId);
      await breakIt(db, hospitalId, 'a');
      await moveClock(db, '1 hour');
      expect(await run(db, hospitalId)).toMatchObject({ new_count: 1 });
      const { rows: second } = await db.query(
        "select id, first_seen_at - interval '2 hours' >= $1 as is_later from app_public.finding",
        [first[0].first_seen_at],
      );
      expect(second).toEqual([{ id: first[0].id, is_later: true }]);
      expect(await findings(db)).toEqual([{ cache_key: 'sample:a', times_seen: 1, is_open: true }]);
    }));

  test('leaves a row for each check, and an entry in the log', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a');
      const { id } = await run(db, hospitalId);
      const { rows: results } = await db.query(
        "select check_name, row_count, error from app_public.check_result where run_id = $1 and check_name = 'sample'",
        [id],
      );
      expect(results).toEqual([{ check_name: 'sample', row_count: 1, error: null }]);
      const { rows: entries } = await db.query(
        'select kind, level, name, outcome from app_public.log_entry where hospital_id = $1 order by id',
        [hospitalId],
      );
      expect(entries).toEqual([
        { kind: 'finding', level: 'critical', name: 'sample', outcome: 'noted' },
        { kind: 'alert', level: 'critical', name: 'sample', outcome: 'noted' },
        { kind: 'check_run', level: 'info', name: 'manual', outcome: 'succeeded' },
      ]);
    }));

  test('raises an alert for what is critical, once, and closes it when the problem is gone', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      await run(db, hospitalId);
      const alerts = async () =>
        (await db.query('select check_name, status from app_public.health_alert')).rows;
      expect(await alerts()).toEqual([{ check_name: 'sample', status: 'active' }]);
      await mend(db, 'a');
      await run(db, hospitalId);
      expect(await alerts()).toEqual([{ check_name: 'sample', status: 'resolved' }]);
    }));

  test('of one hospital neither finds nor resolves anything of another', () =>
    story(async (db, hospitalId) => {
      const other = await createHospital(db);
      await breakIt(db, hospitalId, 'a');
      await breakIt(db, other.id, 'b');
      await run(db, null);
      await mend(db, 'a', 'b');
      await run(db, hospitalId);
      expect(await findings(db)).toEqual([
        { cache_key: 'sample:a', times_seen: 1, is_open: false },
        { cache_key: 'sample:b', times_seen: 1, is_open: true },
      ]);
    }));

  test('goes on when a check cannot be run, and says so', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a');
      await db.query(`create or replace view checks.sample as
        select hospital_id, check_name, severity, entity_type, entity_id, (1 / (length(detail) - length(detail)))::text as detail,
          metadata, cache_key from (${sample}) as row`);
      const broken = await run(db, hospitalId);
      expect(broken).toMatchObject({ failed_checks: ['sample'] });
      const { rows } = await db.query(
        'select error from app_public.check_result where run_id = $1 and error is not null',
        [broken.id],
      );
      expect(rows).toEqual([{ error: '22012: division by zero' }]);
    }));

  test('is refused when the catalog of checks is empty: silence would look like health', () =>
    story(async (db, hospitalId) => {
      await db.query('delete from app_public.health_check');
      expect(await refusalOf(db, () => run(db, hospitalId))).toMatchObject({
        scenario: 'no_checks',
      });
    }));

  test('remembers of a flood what it can, and takes nothing for resolved', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'zzz');
      await run(db, hospitalId);
      await db.query(
        "insert into app_private.sample select $1, gen_random_uuid(), 'w' || number from generate_series(1, 10100) as number",
        [hospitalId],
      );
      expect(await run(db, hospitalId)).toMatchObject({ finding_count: 10_101, resolved_count: 0 });
      const { rows } = await db.query(
        'select count(*)::int from app_public.finding where resolved_at is null',
      );
      expect(rows[0].count).toBeGreaterThanOrEqual(10_000);
    }));
});

describe('what somebody ignores', () => {
  test('is remembered, and alarms nobody', () =>
    story(async (db, hospitalId) => {
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      await mend(db, 'a');
      await run(db, hospitalId);
      await db.query(
        "update app_public.finding set ignored_at = app_private.clock(), ignore_reason = 'known'",
      );
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      const { rows } = await db.query(
        "select status from app_public.health_alert where status = 'active'",
      );
      expect(rows).toEqual([]);
    }));
});

describe('a repair', () => {
  test('is believed when the check is silent again', () =>
    story(async (db, hospitalId) => {
      await repairWith(
        db,
        "delete from app_private.sample where word = 'a'; return 'Removed it.';",
      );
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      expect(await repair(db)).toMatchObject({
        is_open: false,
        is_auto_corrected: true,
        repair_attempts: 1,
        repair_error: null,
      });
    }));

  test('that changes nothing is not believed, and after three tries people are asked', () =>
    story(async (db, hospitalId) => {
      await repairWith(db, "return 'I think so.';");
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      expect(await repair(db)).toMatchObject({
        is_open: true,
        is_auto_corrected: false,
        repair_error: 'It is still there. I think so.',
      });
      await repair(db);
      expect(await reviews(db)).toEqual([]);
      await repair(db);
      expect(await reviews(db)).toEqual([{ reason: 'sample', priority: 1, status: 'pending' }]);
    }));

  test('that is not safe asks people at once', () =>
    story(async (db, hospitalId) => {
      await repairWith(db, 'return null;');
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      await repair(db);
      await repair(db);
      expect(await reviews(db)).toEqual([{ reason: 'sample', priority: 1, status: 'pending' }]);
      await mend(db, 'a');
      await run(db, hospitalId);
      expect(await reviews(db)).toEqual([{ reason: 'sample', priority: 1, status: 'resolved' }]);
    }));

  test('that fails undoes what it did, and tells why', () =>
    story(async (db, hospitalId) => {
      await repairWith(db, "delete from app_private.sample; perform 1 / 0; return 'Done.';");
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      expect(await repair(db)).toMatchObject({
        is_open: true,
        repair_error: '22012: division by zero',
      });
    }));

  test('acts as the worker, and the audit names its check', () =>
    story(async (db, hospitalId) => {
      await repairWith(
        db,
        `perform app_private.record_repair(finding.hospital_id, 'sample', finding.entity_id, '{"word":"a"}', '{"word":"b"}');
         delete from app_private.sample; return app_private.actor_role();`,
      );
      await breakIt(db, hospitalId, 'a');
      await run(db, hospitalId);
      await repair(db);
      const { rows } = await db.query(
        "select actor_role, changed_columns from app_public.audit_entry where table_name = 'sample'",
      );
      expect(rows).toEqual([{ actor_role: 'repair:sample', changed_columns: { word: 'b' } }]);
      const { rows: after } = await db.query(
        "select app_private.audited_role() as role, coalesce(current_setting('claims.role', true), '') as claimed",
      );
      expect(after).toEqual([{ role: 'operator', claimed: '' }]);
    }));
});

const sample = `
  select sample.hospital_id, entry.name as check_name, entry.severity, entry.entity_type, sample.id as entity_id,
    'The sample says ' || sample.word || '.' as detail, jsonb_build_object('word', sample.word) as metadata,
    concat_ws(':', entry.name, sample.word) as cache_key
  from app_private.sample join app_public.health_check as entry on entry.name = 'sample'`;

async function story(tell: (db: ClientBase, hospitalId: string) => Promise<void>): Promise<void> {
  await rolledBack(ownerPool, async (db) => {
    await db.query(`
      delete from app_public.health_check;
      create table app_private.sample (hospital_id uuid, id uuid, word text);
      alter table app_private.sample owner to app_owner;
      create view checks.sample as ${sample};
      alter view checks.sample owner to app_owner;
      select app_private.declare_check(name => 'sample', domain => 'samples', severity => 'critical', entity_type => 'sample',
        title => 'Sample', meaning => 'A word.', importance => 'None.', resolution => 'Forget it.', remedy => 'operator')`);
    const { id } = await createHospital(db);
    await tell(db, id);
  });
}

async function breakIt(db: ClientBase, hospitalId: string, ...words: string[]): Promise<void> {
  await db.query(
    'insert into app_private.sample select $1, gen_random_uuid(), word from unnest($2::text[]) as word',
    [hospitalId, words],
  );
}

async function mend(db: ClientBase, ...words: string[]): Promise<void> {
  await db.query('delete from app_private.sample where word = any ($1)', [words]);
}

async function repairWith(db: ClientBase, body: string): Promise<void> {
  await db.query(`
    create function app_private.repair_sample(finding app_public.finding) returns text
      language plpgsql security definer set search_path = '' as $$ begin ${body} end $$;
    alter function app_private.repair_sample(app_public.finding) owner to app_owner;
    update app_public.health_check set remedy = 'repair', repair = 'repair_sample'`);
}

async function repair(db: ClientBase) {
  await db.query('select app_private.repair_finding(hospital_id, id) from app_public.finding');
  const { rows } = await db.query(
    `select resolved_at is null as is_open, is_auto_corrected, repair_attempts, repair_error from app_public.finding`,
  );
  return rows[0];
}

async function reviews(db: ClientBase) {
  return (await db.query('select reason, priority, status from app_public.review_item')).rows;
}

async function run(db: ClientBase, hospitalId: string | null) {
  const { rows } = await db.query("select * from app_private.run_checks($1, null, 'manual')", [
    hospitalId,
  ]);
  return rows[0];
}

async function findings(db: ClientBase) {
  const { rows } = await db.query(
    'select cache_key, times_seen, resolved_at is null as is_open from app_public.finding order by cache_key',
  );
  return rows;
}
