/** A row of app_public.error_catalog. */
export type CatalogEntry = {
  scenario: string;
  code: string;
  is_recoverable: boolean;
  message: string;
  hint: string;
};

/** Query of the catalog in the order of the page. */
export const catalogQuery = `
  select scenario, code, is_recoverable, message, hint
  from app_public.error_catalog order by code, scenario collate "C"`;

const kinds: Readonly<Record<string, string>> = {
  SK400: 'The request is not valid',
  SK401: 'Not logged in',
  SK403: 'Not allowed',
  SK404: 'Not found',
  SK409: 'Contradicts the present state',
  SK413: 'Too large',
  SK415: 'Wrong media type',
  SK422: 'A rule says no',
  SK429: 'Too many attempts',
  SK500: 'Our fault',
  SK503: 'Not available now',
};

/** The page of all refusals, in Markdown, from the rows of `catalogQuery`. */
export function errorsPage(catalog: readonly CatalogEntry[]): string {
  const codes = [...new Set(catalog.map(({ code }) => code))];
  const sections = codes.flatMap((code) => [
    `## ${code} · ${kinds[code] ?? ''}`,
    '',
    '| scenario | says | what to do | can succeed later |',
    '| --- | --- | --- | --- |',
    ...catalog.filter((entry) => entry.code === code).map(rowOf),
    '',
  ]);
  return [head, ...sections].join('\n').trimEnd().concat('\n');
}

function rowOf({ scenario, message, hint, is_recoverable }: CatalogEntry): string {
  const cells = [`\`${scenario}\``, message, hint, is_recoverable ? 'yes' : 'no'];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const head = `# Errors

<!-- Made by \`npm run docs\` from sql/catalog/error_catalog.sql; edit it there. -->

Every refusal has one form, in GraphQL (\`errors[].extensions\`) and in the answers of \`/auth\` alike:

\`\`\`json
{
  "message": "The slot is fully booked.",
  "extensions": {
    "code": "SK409",
    "scenario": "slot_booked",
    "recoverable": true,
    "details": { "capacity": 1, "violations": [{ "rule": 13, "scenario": "slot_booked" }] },
    "hint": "Choose another slot."
  }
}
\`\`\`

Branch on \`scenario\`: it is stable. \`code\` is the kind, SK and the HTTP status that fits it.
\`recoverable\` says whether the same wish can succeed later or with another choice. A booking that breaks
several rules is refused with the first and lists all in \`details.violations\`. An unexpected error
carries an \`error_id\`, under which the log has it. The same list is in GraphQL: \`errorCatalog\`.
`;
