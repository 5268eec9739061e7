# The server and the guests' pages, built with packages that the server itself does not need.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --loglevel=error
COPY bin bin
COPY src src
COPY web web
RUN node bin/build.mjs

# The server and its worker: Debian slim, no root, nothing written outside /data and /tmp.
FROM node:26-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data MALLOC_ARENA_MAX=1
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has its own Node; the pinned one is for checkouts.
RUN npm ci --ignore-scripts --omit=dev --loglevel=error && npm cache clean --force && rm -rf node_modules/node-linux-* /root/.npm
COPY LICENSE ./
COPY --from=build /app/dist dist
# As in a checkout, and run as its launcher does: `docker compose exec server openslot doctor`.
RUN printf '#!/bin/sh\nexec node --max-semi-space-size=2 --memory-reducer-delay-ms=500 --memory-pool-timeout=1 /app/dist/server/main.js "$@"\n' > /usr/local/bin/openslot && chmod 755 /usr/local/bin/openslot
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["openslot"]
CMD ["start"]
