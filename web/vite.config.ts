import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

/** Where a service runs while the dashboard is developed: `npx vite web`. */
const SERVICE_URL = 'http://127.0.0.1:8080';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [preact()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    // One script and one style sheet: the pages together are smaller than a second round trip is worth.
    cssCodeSplit: false,
    // What is inlined as `data:` would be refused by the content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    target: 'es2022',
    // How long plugins take is nothing that somebody who starts the service should read.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: { proxy: { '/api': SERVICE_URL, '/docs': SERVICE_URL } },
});
