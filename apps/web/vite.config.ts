import react from '@vitejs/plugin-react';
import path from 'node:path';
import { env } from 'node:process';
import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { catalogues, LANGUAGES, readMessages } from './scripts/catalogues.mjs';
import { emojiData } from './scripts/emoji.mjs';

const relay = env['SOTTO_RELAY'] ?? 'http://127.0.0.1:7688';

/** A member of the manifest in every language: what the browser does not know of it, it leaves out. */
const inEveryLanguage = <M extends string>(member: M, key: string) => {
  const [english = '', ...others] = LANGUAGES.map((language) => readMessages(language)[key] ?? '');
  const localized = others.map((value, index) => {
    const lang = LANGUAGES[index + 1]!;
    return [lang, lang === 'ar' ? { value, dir: 'rtl' } : value];
  });
  return { [member]: english, [`${member}_localized`]: Object.fromEntries(localized) } as Record<M, string>;
};

export default defineConfig({
  plugins: [
    react(),
    catalogues(),
    emojiData(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      // src/platform/updates.ts registers it, under the page's Trusted Types policy.
      injectRegister: false,
      includeAssets: [],
      includeManifestIcons: false,
      injectManifest: {
        // A script and no module: nothing in it is loaded later, for a service worker cannot `import()`.
        rollupFormat: 'iife',
        globPatterns: ['**/*.{html,js,css,webmanifest}', 'icon.svg', 'icon-192.png', 'apple-touch-icon.png'],
        // The service worker keeps what it imports by itself; the page of phone numbers, and the names of emoji in four
        // languages, are for who needs them, and then in the browser's cache.
        globIgnores: ['assets/sw-engine-*.js', 'phone.html', 'assets/phone-*', 'assets/_virtual_emoji*'],
      },
      manifest: {
        id: '/',
        name: 'Sotto',
        short_name: 'Sotto',
        ...inEveryLanguage('description', 'settings.aboutSays'),
        lang: 'en',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        display_override: ['window-controls-overlay', 'standalone'],
        background_color: '#ffffff',
        theme_color: '#0b6b69',
        categories: ['social', 'communication'],
        shortcuts: [
          { ...inEveryLanguage('name', 'people.newChat'), url: '/#/new' },
          { ...inEveryLanguage('name', 'chats.noteToSelf'), url: '/#/me' },
        ],
        // Taken by the service worker (src/sw.ts): what is shared never leaves the device.
        share_target: {
          action: '/share',
          method: 'POST',
          enctype: 'multipart/form-data',
          params: { title: 'title', text: 'text', url: 'url' },
        },
        icons: [
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  resolve: {
    alias: [
      // The ways of engine.io that are never taken (packages/transport asks for WebSocket alone).
      {
        find: /^\.\/(?:transports\/)?(?:polling-xhr(?:\.node)?|polling-fetch|webtransport)\.js$/,
        replacement: path.join(import.meta.dirname, 'src/platform/no-transport.ts'),
      },
    ],
  },
  worker: {
    format: 'es',
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Not the worker's own script, which is left with hardly more than imports: WebKit would run it again for a script
          // that is loaded later and imports it.
          groups: [{ name: 'reader', tags: ['$initial'], test: (id) => !id.includes('engine-worker.ts') }],
        },
      },
    },
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Everything is a file of its own: the CSP allows neither inline code nor data: URLs for it.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // The page's first script waits for no other.
            { name: 'start', test: /src\/(?:start|engine-worker|platform\/script-url)\.ts/, priority: 1 },
            // What the first picture needs is one file, and not one for each pair of screens that share something. But for
            // the page itself, which is left with imports alone: Vite makes a script element of each.
            { name: 'app', tags: ['$initial'], test: /\.(?:js|mjs|ts|tsx|css)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/v1': relay,
      '/socket.io': { target: relay, ws: true },
    },
  },
});
