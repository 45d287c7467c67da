import { randomInt } from 'node:crypto';

/** Where and when faults strike. FAULT_SEED repeats it; the timing of processes it cannot repeat. */
export const seed = Number(process.env.FAULT_SEED ?? randomInt(2 ** 31));

/** Draws of a test: the same for the same seed, whatever other tests drew before. */
export function drawsFor(name: string) {
  console.log(`${name}: FAULT_SEED=${seed}`);
  let state = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) | 0, seed);
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) =>
    least + Math.floor(random() * (most - least + 1));
  return {
    /** A whole number, both ends included. */
    between,
    coin: () => random() < 0.5,
  };
}

/** Says what was drawn and measured. */
export function report(fault: string, figures: Readonly<Record<string, unknown>>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  console.log(`${fault}: ${words.join(', ')}`);
}
