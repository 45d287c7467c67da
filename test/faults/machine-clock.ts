// Loaded before a worker: the machine's clock stands a second before a minute of the crontab, and goes on
// at SIGUSR2. So the minute comes when a test wants it, at the same moment for several workers. Half a minute
// after it the clock stands still again: however long a test takes, no other minute comes by itself.
const TrueDate = Date;
const standsAt = Number(process.env.MACHINE_CLOCK);
let behind: number | undefined;

function now(): number {
  if (behind === undefined) return standsAt;
  return Math.min(TrueDate.now() - behind, standsAt + 31_000);
}

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

process.on('SIGUSR2', () => {
  behind ??= TrueDate.now() - standsAt;
});
