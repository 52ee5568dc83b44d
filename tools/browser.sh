#!/usr/bin/env bash
# Puts a headless Chromium and fonts for all scripts into a folder, without installing anything.
# From Debian's (or a relative's) package index; what the system has already is not fetched. Needs no root.
#   tools/browser.sh .browser
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then
      touch "$folder/installed" # the tests find it by its name
      exit 0
    fi
  done
  echo "tools/browser.sh: no apt-get here; install Chromium, and name it in GLOTMILL_CHROMIUM" >&2
  exit 1
fi
mkdir -p "$folder/lists/partial" "$folder/debs/partial" "$folder/root"
apt=(apt-get --quiet --quiet
  -o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder" -o "Dir::Cache::Archives=$folder/debs"
  -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=5)
"${apt[@]}" update
"${apt[@]}" install --yes --download-only --reinstall --no-install-recommends \
  chromium-headless-shell fonts-noto-core fonts-droid-fallback fontconfig-config
for package in "$folder"/debs/*.deb; do
  dpkg -x "$package" "$folder/root"
done
rm -rf "$folder/lists" "$folder/debs" "$folder"/*.bin

cat >"$folder/fonts.conf" <<CONF
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$folder/root/usr/share/fonts</dir><cachedir>$folder/cache</cachedir></fontconfig>
CONF
cat >"$folder/chromium" <<RUN
#!/bin/sh
export FONTCONFIG_FILE="$folder/fonts.conf"
libraries="$folder/root/usr/lib/$(uname -m)-linux-gnu"
export LD_LIBRARY_PATH="\$libraries:\$libraries/pulseaudio"
exec "$folder/root/usr/lib/chromium/chromium-headless-shell" "\$@"
RUN
chmod +x "$folder/chromium"
"$folder/chromium" --version
touch "$folder/installed"
