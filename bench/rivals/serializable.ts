// The textbook way to book an appointment with Express and Postgres, to measure ours against: check
// in a SERIALIZABLE transaction whether the slot has room and the patient is free, then insert; when
// Postgres refuses the transaction, try again a few times. No login, no log, no other rule.
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import pg from 'pg';

const attempts = 5;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
pool.on('error', () => {});
let retries = 0;

class Refused extends Error {}

async function bookOnce(slotId: string, patientId: string): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level serializable');
    const { rows: slots } = await client.query(
      'select doctor_id, starts_at, ends_at, capacity from rival.slot where id = $1',
      [slotId],
    );
    const [slot] = slots;
    if (!slot) throw new Refused('slot_not_found');
    const { rows: seats } = await client.query(
      `select count(*)::integer as taken from rival.appointment where slot_id = $1 and status = 'scheduled'`,
      [slotId],
    );
    if (seats[0].taken >= slot.capacity) throw new Refused('slot_booked');
    const { rows: clashes } = await client.query(
      `select 1 from rival.appointment
       where patient_id = $1 and status = 'scheduled' and starts_at < $3 and ends_at > $2`,
      [patientId, slot.starts_at, slot.ends_at],
    );
    if (clashes.length > 0) throw new Refused('patient_double_booked');
    const { rows: booked } = await client.query(
      `insert into rival.appointment (slot_id, doctor_id, patient_id, starts_at, ends_at, status)
       values ($1, $2, $3, $4, $5, 'scheduled') returning id`,
      [slotId, slot.doctor_id, patientId, slot.starts_at, slot.ends_at],
    );
    await client.query('commit');
    return booked[0].id;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function book(slotId: string, patientId: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bookOnce(slotId, patientId);
    } catch (error) {
      const { code } = error as { code?: string };
      if ((code !== '40001' && code !== '40P01') || attempt === attempts) throw error;
      retries += 1;
      await delay(Math.random() * 10 * 2 ** attempt);
    }
  }
}

const app = express();
app.use(express.json());

app.post('/appointments', async (request, response) => {
  try {
    const id = await book(request.body.slotId, request.body.patientId);
    response.status(201).json({ id });
  } catch (error) {
    if (error instanceof Refused) response.status(409).json({ error: error.message });
    else response.status(503).json({ error: 'try_again_later' });
  }
});

app.get('/retries', (_request, response) => {
  response.json({ retries });
});

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object')
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${address.port}` })}\n`);
});

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void pool.end();
});
