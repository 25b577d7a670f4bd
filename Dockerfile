# Builds with everything, runs with production dependencies only, as a user without rights.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY src src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Prisma's command line and TypeScript are optional peers of its client, which npm keeps although nothing here runs them.
RUN npm ci --omit=dev \
 && cd node_modules \
 && rm -rf prisma typescript @typescript @electric-sql effect elkjs @prisma/config @prisma/dev @prisma/engines \
    @prisma/engines-version @prisma/fetch-engine @prisma/get-platform @prisma/query-plan-executor \
    @prisma/streams-local @prisma/studio-core

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY prisma prisma
COPY menus menus
COPY locales locales
COPY src/console/console.css src/console/console.css
USER node
# The image must be able to do its work with what was left.
RUN node dist/main.js menus check
EXPOSE 8080
# Exec form: SIGTERM reaches the process, which drains within 40 s.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
