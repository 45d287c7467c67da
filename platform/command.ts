import { type Config, readConfig } from './config.ts';

/**
 * Runs a command of the terminal: reads the configuration, does `work`, and leaves with its exit
 * code (0 when it returns nothing). What goes wrong is told in words, without a stack.
 */
export async function runCommand(
  work: (config: Config) => Promise<number | undefined>,
): Promise<void> {
  try {
    process.exitCode = (await work(readConfig(process.env))) ?? 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** Prints a line for people. */
export function say(message: string): void {
  process.stdout.write(`${message}\n`);
}
