import { createHash } from 'node:crypto';

/** A page of one message, and perhaps a form. All of it is text, which is escaped here. */
export type Page = {
  title: string;
  text: string;
  /** Names and values below the text. */
  facts?: readonly (readonly [name: string, value: string])[];
  /** Fields of the form whose values nobody may see on the screen. */
  secrets?: readonly (readonly [name: string, label: string])[];
  /** Sends the form to the page's own address. */
  button?: string;
};

const style = `
:root { color-scheme: light dark; --page: #fff; --ink: #1a1d21; --soft: #4a5058; --line: #c9ced4; --act: #0b57d0; --on-act: #fff }
@media (prefers-color-scheme: dark) {
  :root { --page: #16181b; --ink: #eceff2; --soft: #b4bac2; --line: #454b53; --act: #a8c7fa; --on-act: #062e6f }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 1.125rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto; padding: 2rem 1.25rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem }
dl { margin: 1.5rem 0; border-top: 1px solid var(--line) }
dl > div { padding: .625rem 0; border-bottom: 1px solid var(--line) }
dt { color: var(--soft); font-size: 1rem }
dd { margin: 0; overflow-wrap: anywhere }
label { display: block; margin: 1rem 0 }
input { width: 100%; min-height: 3rem; margin-top: .25rem; padding: .5rem .75rem; border: 1px solid var(--soft); border-radius: .5rem; background: var(--page); color: var(--ink); font: inherit }
button { width: 100%; min-height: 3rem; padding: .75rem 1rem; border: 0; border-radius: .5rem; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; cursor: pointer }
button:focus-visible, input:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px }
`;

/**
 * The headers of every page. Nothing is loaded from anywhere, no script runs, no frame shows it; the
 * address, which is a secret, is neither stored nor passed on nor found by a search.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
};

/** The page as HTML. */
export function pageOf({ title, text, facts = [], secrets = [], button }: Page): string {
  const fields = secrets.map(
    ([name, label]) =>
      `<label>${escaped(label)}<input type="password" name="${escaped(name)}" autocomplete="new-password" required></label>`,
  );
  const rows = facts.map(
    ([name, value]) => `<div><dt>${escaped(name)}</dt><dd dir="auto">${escaped(value)}</dd></div>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
${rows.length === 0 ? '' : `<dl>${rows.join('')}</dl>`}
${button === undefined ? '' : `<form method="post">${fields.join('')}<button type="submit">${escaped(button)}</button></form>`}
</main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}
