import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface DoctorArguments {
  /** Only this check, with its rows. */
  check: string | undefined;
  /** Slug of the only hospital to look at. */
  hospital: string | undefined;
  /** What runs remembered, instead of looking now. */
  isRemembered: boolean;
  /** Whether what is only worth knowing counts as a warning. */
  isStrict: boolean;
  isJson: boolean;
  isHelp: boolean;
}

/** Shown by --help, and beneath every complaint about the command line. */
export const usage = `Usage: npm run doctor -- [--check <name>] [--hospital <slug>] [--remembered] [--strict] [--json]

  --check       one check: what it means, what to do, and every row that it finds
  --hospital    short name of the only hospital to look at; leaves out the whole system
  --remembered  what the last runs found, instead of looking now: for a database under load
  --strict      findings that are only worth knowing (info) count as warnings
  --json        the same for programs

Looks with the rights of app_monitor and changes nothing. Leaves with 0 when all is well, 1 when there are
warnings only, 2 when something is critical, 3 when it could not look.`;

/** Reads the command line; throws an Error that says what is wrong with it. */
export function readArguments(words: readonly string[]): DoctorArguments {
  const { values, positionals } = parse(words);
  if (positionals.length > 0) {
    throw complaint(`"${positionals[0]}" is not understood; name a check with --check.`);
  }
  return {
    check: values.check,
    hospital: values.hospital,
    isRemembered: values.remembered,
    isStrict: values.strict,
    isJson: values.json,
    isHelp: values.help,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        check: { type: 'string' },
        hospital: { type: 'string' },
        remembered: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw complaint(error instanceof Error ? error.message : String(error));
  }
}

function complaint(message: string): Error {
  return new Error(`${message}\n\n${usage}`);
}
