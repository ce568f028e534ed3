# The relay and the app it serves. The database is a service of its own: see docker-compose.yml.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN node scripts/setup.mjs && node scripts/build.mjs
# What the built relay needs at run time, without the embedded Postgres.
RUN npx -y pnpm@10.34.9 --filter @sotto/relay deploy --legacy --prod --no-optional /deploy

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=7688 SOTTO_DATA=/data
WORKDIR /app
COPY --from=build /src/LICENSE ./
COPY --from=build /src/prisma/migrations prisma/migrations
COPY --from=build /src/apps/web/dist apps/web/dist
COPY --from=build /src/apps/relay/package.json apps/relay/
COPY --from=build /src/apps/relay/dist apps/relay/dist
COPY --from=build /deploy/node_modules apps/relay/node_modules
RUN install -d -o node -g node -m 700 /data
VOLUME /data
USER node
EXPOSE 7688
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/relay/dist/main.js"]
