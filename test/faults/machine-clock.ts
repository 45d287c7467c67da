// Loaded before a worker: the machine's clock stands a second before a minute of the crontab, and goes on
// at SIGUSR2. So the minute comes when a test wants it, at the same moment for several workers.
const TrueDate = Date;
const standsAt = Number(process.env.MACHINE_CLOCK);
let behind: number | undefined;

function now(): number {
  return behind === undefined ? standsAt : TrueDate.now() - behind;
}

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

process.on('SIGUSR2', () => {
  behind ??= TrueDate.now() - standsAt;
});
