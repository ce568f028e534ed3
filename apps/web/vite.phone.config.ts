import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { catalogues } from './scripts/catalogues.mjs';

/** The page of phone numbers beside the app: by itself, so that the app's files are cut for the app alone. */
export default defineConfig({
  plugins: [react(), catalogues()],
  publicDir: false,
  build: {
    target: 'es2022',
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: 'phone.html',
      output: {
        entryFileNames: 'assets/phone-[hash].js',
        chunkFileNames: 'assets/phone-[hash].js',
        assetFileNames: 'assets/phone-[hash][extname]',
      },
    },
  },
});
