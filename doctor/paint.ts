import { styleText } from 'node:util';
import type { Severity } from './diagnosis.ts';

export type Tone = Severity | 'good' | 'faint' | 'strong';

/** Puts a text into a tone, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

const formats = {
  critical: ['bold', 'red'],
  warning: 'yellow',
  info: 'cyan',
  good: 'green',
  faint: 'dim',
  strong: 'bold',
} as const;

/** Colours on a terminal, unless NO_COLOR asks for none; plain text elsewhere. */
export function paintFor(
  stream: { isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Paint {
  const isPlain = stream.isTTY !== true || Boolean(environment.NO_COLOR);
  if (isPlain) return (_tone, text) => text;
  return (tone, text) => styleText(formats[tone] as 'bold', text, { validateStream: false });
}
