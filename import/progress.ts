import cliProgress from 'cli-progress';

/** How far a long piece of work has come. */
export interface Progress {
  /** A new piece begins, this much long; what it counts is said by `unit`. */
  begin(task: string, total: number, unit: string): void;
  advance(by: number): void;
  /** The work is over, for better or worse. */
  end(): void;
}

/** A bar on a terminal. */
export function barOn(stream: NodeJS.WriteStream): Progress {
  let bar: cliProgress.SingleBar | undefined;
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    begin(task, total, unit) {
      end();
      bar = new cliProgress.SingleBar(
        { format: `${task} {bar} {value} of {total} ${unit}`, clearOnComplete: true, stream },
        cliProgress.Presets.shades_classic,
      );
      bar.start(total, 0);
    },
    advance: (by) => bar?.increment(by),
    end,
  };
}

/** A line for each tenth, where nobody watches. */
export function linesTo(say: (line: string) => void): Progress {
  let told = 0;
  let done = 0;
  let task = '';
  let total = 0;
  let unit = '';
  return {
    begin(...next) {
      [task, total, unit] = next;
      [told, done] = [0, 0];
      say(`${task} ${count(total)} ${unit}`);
    },
    advance(by) {
      done += by;
      const tenth = total === 0 ? 0 : Math.floor((done * 10) / total);
      if (tenth <= told) return;
      told = tenth;
      say(`${task}: ${count(done)} of ${count(total)} ${unit}`);
    },
    end() {},
  };
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
