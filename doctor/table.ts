/** A cell, and how it is shown once it has its width. */
export type Cell = { text: string; paint?: (text: string) => string; isNumber?: boolean };

/**
 * Lines of a table, no wider than `width`: columns as wide as their widest cell (the last but one as far
 * as there is room), the last one with what remains. Where less than `least` remains, the last cell stands on lines of its own beneath.
 */
export function tableOf(
  rows: readonly (readonly Cell[])[],
  { width, least = 32 }: { width: number; least?: number },
): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => lengthOf(row[column]?.text ?? ''))),
  );
  const overflow = widths.reduce((sum, each) => sum + each + 2, -2) - width;
  if (overflow > 0) widths.push(Math.max(1, (widths.pop() ?? 0) - overflow));
  const taken = widths.reduce((sum, each) => sum + each + 2, 0);
  const isBeneath = width - taken < least;
  return rows.flatMap((row) => {
    const cells = widths.map((each, column) => padded(row[column] ?? { text: '' }, each));
    const last = row[columns] ?? { text: '' };
    const paint = last.paint ?? ((text: string) => text);
    if (!isBeneath)
      return [`${cells.join('  ')}  ${paint(cut(last.text, width - taken))}`.trimEnd()];
    const beneath =
      last.text === '' ? [] : wrap(last.text, width - 4).map((line) => `    ${paint(line)}`);
    return [cells.join('  ').trimEnd(), ...beneath];
  });
}

/** The text in lines of at most `width`, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (lengthOf(line) > width) {
      lines.push([...line].slice(0, width).join(''));
      line = [...line].slice(width).join('');
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** The text, or as much of it as fits with a sign that there is more. */
export function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

function padded(cell: Cell, width: number): string {
  const { paint, isNumber } = cell;
  const text = cut(cell.text, width);
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  const shown = paint?.(text) ?? text;
  return isNumber ? `${space}${shown}` : `${shown}${space}`;
}

function lengthOf(text: string): number {
  return [...text].length;
}
