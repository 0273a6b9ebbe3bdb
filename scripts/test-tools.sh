#!/bin/sh
# Sets up what the tests need beside Go: nginx, the service that is watched,
# stopped and started; Chromium, the reader; ip, for networks that go away. On Debian as root it installs
# them; elsewhere it prints the line to run, and those tests are skipped. With
# CI=true a missing tool is a failure.
want=
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || want="$want nginx-light"
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || want="$want chromium"
[ "$(uname)" != Linux ] || command -v ip >/dev/null 2>&1 || [ -x /usr/sbin/ip ] || want="$want iproute2"
[ -z "$want" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing$want for the tests"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $want >/dev/null
else
	echo "these tests will be skipped: no$want. To run them too: sudo apt-get install$want" >&2
fi
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] && command -v chromium >/dev/null 2>&1 && exit 0
[ "$CI" = true ] && echo "CI needs nginx and Chromium" >&2 && exit 1
exit 0
