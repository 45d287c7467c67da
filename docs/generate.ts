// npm run docs: everything in docs/ that is made and not written.
import './generate-errors.ts';
