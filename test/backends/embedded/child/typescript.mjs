// Lets a child process run the TypeScript sources: node --import ./typescript.mjs child.ts
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
