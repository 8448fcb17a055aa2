# flipgate in an image: docker build -t flipgate . (how to run it: deploy/README.md)
#
# The Node that the tests ran on. Another one: --build-arg NODE_IMAGE=node:…-slim
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

# What the build needs stays here.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Before the sources: while the lock file is the same, so is this layer.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.mjs scripts/bundle-gateway.mjs scripts/
COPY src src/
RUN npm run build

FROM ${NODE_IMAGE} AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="flipgate" \
      org.opencontainers.image.description="A real-time gateway over Socket.IO or Server-Sent Events"
# The files are root's, and nobody writes: the image runs with a read-only root, and needs no folder to write to.
WORKDIR /app
COPY --from=modules /app/node_modules node_modules/
COPY --from=build /app/dist dist/
COPY config config/
COPY package.json ./
# 0.0.0.0: reached from outside the container. Without AUTH_MODE=token the start is refused for that, with exit code 78.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=5002
EXPOSE 5002
# By number (it is "node"), so that Kubernetes can see that it is not root.
USER 1000:1000
STOPSIGNAL SIGTERM
# Whether it lives. Whether it should get clients is another question: health --ready.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["node", "dist/cli.js", "health"]
# No shell and no npm in between, so signals reach it. As process 1 it needs no --init: it handles SIGTERM, SIGINT and SIGHUP
# itself, and starts no processes whose ends somebody would have to see to.
CMD ["node", "dist/cli.js", "start"]
