#!/bin/sh
# Writes .env and secrets/ beside it: random keys and passwords, and a certificate that signs itself, for a first try.
# What is there already is left alone. Needs openssl.
set -eu
cd "$(dirname "$0")"
umask 077

if [ -e .env ] || [ -e secrets/metrics-key ]; then
  echo '.env or secrets/metrics-key is there already: nothing done. Remove both for new secrets.' >&2
  exit 1
fi

random() { openssl rand -hex 24; }
sha256() { printf %s "$1" | openssl dgst -sha256 -r | cut -d ' ' -f 1; }

operator=$(random)
publisher=$(random)
reader=$(random)
metrics=$(random)

# The folder is the owner's alone; the files in it are read by users of containers, whom this machine does not know.
mkdir -p secrets
printf %s "$metrics" > secrets/metrics-key
if [ ! -e secrets/flipgate.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
    -keyout secrets/flipgate.key -out secrets/flipgate.pem 2> secrets/openssl.log ||
    { cat secrets/openssl.log >&2; exit 1; }
  rm secrets/openssl.log
fi
chmod 0444 secrets/metrics-key secrets/flipgate.pem secrets/flipgate.key

# Gateways are told what keys hash to, not the keys.
cat > .env <<END
FLIPGATE_API_KEYS='[{"id":"operator","sha256":"$(sha256 "$operator")","subscribe":["*"],"publish":["*"],"command":["*"],"admin":["status","metrics","flip"]},{"id":"publisher","sha256":"$(sha256 "$publisher")","publish":["*"]},{"id":"reader","sha256":"$(sha256 "$reader")","subscribe":["*"]},{"id":"prometheus","sha256":"$(sha256 "$metrics")","admin":["metrics"]}]'
REDIS_PASSWORD=$(random)
GRAFANA_PASSWORD=$(random)
END

cat <<END
Wrote .env and secrets/. These keys are shown once, and are kept nowhere:
  operator   $operator
  publisher  $publisher
  reader     $reader
Grafana's password for "admin" is in .env. The certificate in secrets/ signs itself: put your own in its place.
END
