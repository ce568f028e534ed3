import { defineConfig } from 'prisma/config';

// For `prisma migrate`, against the PostgreSQL that DATABASE_URL names. The relay applies migrations by itself.
const url = process.env['DATABASE_URL'];

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url && { datasource: { url } }),
});
