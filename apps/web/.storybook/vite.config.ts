import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { catalogues } from '../scripts/catalogues.mjs';
import { emojiData } from '../scripts/emoji.mjs';

/** Of the stories: as the app is built, without its service worker. */
export default defineConfig({ plugins: [react(), catalogues(), emojiData()] });
