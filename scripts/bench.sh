#!/bin/sh
# usage: bench.sh. Builds the bench and runs it against bin/faultline.
set -e
[ -n "$FAULTLINE_SHARED" ] || echo "FAULTLINE_SHARED is not set: scorers and generators of others are left out" >&2
go build -o bin/bench ./internal/bench
exec ./bin/bench "$@"
