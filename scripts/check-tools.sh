#!/bin/sh
# usage: check-tools.sh GO. Says what the build lacks and what to install.
go=${1:-go}
missing=
if ! command -v "$go" >/dev/null 2>&1; then
	echo "Go is not installed: get 1.26 or later from https://go.dev/dl/" >&2
	missing=1
else
	version=$("$go" env GOVERSION | sed 's/^go//; s/[^0-9.].*//')
	major=${version%%.*}
	minor=$(echo "$version" | cut -d. -f2)
	if [ "$major" -eq 1 ] && [ "$minor" -lt 26 ]; then
		echo "Go $version is too old: get 1.26 or later from https://go.dev/dl/" >&2
		missing=1
	fi
fi
for tool in gcc g++; do # DuckDB is C++
	command -v "$tool" >/dev/null 2>&1 && continue
	echo "$tool is not installed. Debian, Ubuntu: apt-get install gcc g++   Fedora: dnf install gcc gcc-c++   macOS: xcode-select --install" >&2
	missing=1
done
[ -z "$missing" ]
