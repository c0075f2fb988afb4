#!/bin/sh
# Issues a trial license with a key of this machine's own and activates it, for work on what a license allows. It takes a dev build, which trusts keys
# from the environment; a release build does not.
#
#   eval "$(scripts/dev/license-activate.sh)"         activates; the shell then has CCP_LICENSE_PUBKEY_B64, which ccp serve needs too
#   eval "$(scripts/dev/license-activate.sh --off)"   back to the Community edition
#
#   CCP_BIN    a dev build (artifacts/build-dev/bin/Ccp/release_net10.0/ccp, built when it is not there)
#   CCP_HOME   the data directory, as for ccp itself
set -eu
case "$#:${1-}" in
    0: | 1:--off) ;;
    1:-h | 1:--help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit ;;
    *) echo "license-activate.sh takes --off or nothing; nothing was changed." >&2; exit 2 ;;
esac
root=$(cd "$(dirname "$0")/../.." && pwd)
ccp=${CCP_BIN:-$root/artifacts/build-dev/bin/Ccp/release_net10.0/ccp}
data=${CCP_HOME:-${XDG_STATE_HOME:-$HOME/.local/state}/ccp}
key=$data/dev-license.key
public=$key.pub

if [ ! -x "$ccp" ] && [ -z "${CCP_BIN-}" ]; then
    echo "building a dev build; this takes a minute or two" >&2
    dotnet build "$root/src/Ccp" -c Release -f net10.0 -p:CcpBuildProfile=dev --nologo -v q >&2
fi

if [ "${1-}" = --off ]; then
    "$ccp" license deactivate >&2
    echo "unset CCP_LICENSE_PUBKEY_B64"
    exit
fi

umask 077
mkdir -p "$data"
if [ ! -f "$key" ]; then
    "$ccp" license keygen --key "$key" --kid dev > "$public" 2>/dev/null
fi

CCP_LICENSE_PUBKEY_B64=$(cat "$public")
export CCP_LICENSE_PUBKEY_B64
echo "export CCP_LICENSE_PUBKEY_B64='$CCP_LICENSE_PUBKEY_B64'"
if ! "$ccp" license issue --key "$key" --plan trial --feature zai_offload --days 14 --sub developer | "$ccp" license activate - >&2; then
    echo "A server that runs must be a dev build and have been started with the variable above: start it again, and then run this again." >&2
    exit 1
fi
