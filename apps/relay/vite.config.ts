import { defineConfig } from 'vite';

// One file with our own packages and the Prisma client in it; what comes from npm stays outside.
export default defineConfig({
  build: {
    ssr: 'src/main.ts',
    target: 'node20',
    outDir: 'dist',
    sourcemap: true,
    minify: false,
  },
  ssr: { noExternal: [/^@sotto\//] },
  logLevel: 'warn',
});
