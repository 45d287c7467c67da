import { setTimeout as delay } from 'node:timers/promises';

/** Runs `work` again, up to a minute, while it fails only because somebody else is at the same. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isContention(error) || Date.now() > deadline) throw error;
      await delay(Math.min(100 * attempt, 1_000));
    }
  }
}

function isContention(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code === '55P03' || code === '40P01' || code === '55006') return true;
  // Roles belong to the whole server: migrations of two databases may alter one at the same time.
  return /tuple concurrently updated|Failed to get exclusive lock/.test(message ?? '');
}
