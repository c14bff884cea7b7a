#!/usr/bin/env bash
# Asterisk 16 and SIPp on Debian 12, as root, again without harm. A centre runs Asterisk 22 LTS (docs/telephony.md); this is what the
# tests and a demonstration can have from Debian's own archive: Debian 12 left Asterisk out, Debian 11's runs on it.
#
# The mirror is the one that this machine already reads Debian 12 from; none is named here.
#
# Ends with 0: installed. 3: that mirror no longer has Debian 11 or its Asterisk, so that the telephone tests cannot run and say so.
# Anything else: a failure (no root, no Debian 12, no network, packages that do not fit).
set -euo pipefail

readonly NONE=3
readonly LIST=/etc/apt/sources.list.d/minsheng-telephony.sources
readonly PREFERENCES=/etc/apt/preferences.d/minsheng-telephony
readonly POLICY=/usr/sbin/policy-rc.d
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

say() { printf 'telephony: %s\n' "$*" >&2; }
apt() { apt-get -q -y -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"; }

if command -v asterisk >/dev/null && command -v sipp >/dev/null; then
    say "$(asterisk -V | tr -d '\n') and SIPp are here already"
    exit 0
fi
[ "$(id -u)" = 0 ] || { say "must be run as root"; exit 1; }
# shellcheck source=/dev/null
[ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ] || { say "this is not Debian 12 (bookworm)"; exit 1; }

# apt itself knows where it reads a suite from, however the sources are written.
mirror_of() {
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' | awk -v suite="$1" '$1 == suite { print $2; exit }'
}

# One suite of Debian 11 from the mirror of its Debian 12 counterpart. 1: the mirror answers that it has none.
# Debian 11 is out of support: nobody renews the dates on its lists any more.
try_suite() {
    local draft told
    draft=$(mktemp --suffix=.sources)
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\nCheck-Valid-Until: no\n' \
        "$1" "$2" /usr/share/keyrings/debian-archive-keyring.gpg > "$draft"
    chmod 644 "$draft"
    if told=$(apt -o Dir::Etc::SourceList="$draft" -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 update 2>&1); then
        cat "$draft" >> "$LIST"
        echo >> "$LIST"
        rm -f "$draft"
        return 0
    fi
    rm -f "$draft"
    # Only an answer of the mirror itself counts as none; a network that fails is a failure.
    if grep -qE '(404|403|410) +[A-Z]' <<< "$told"; then
        return 1
    fi
    printf '%s\n' "$told" >&2
    say "the mirror's list of $2 could not be read"
    exit 1
}

give_up() {
    rm -f "$LIST" "$PREFERENCES"
    say "NOT INSTALLED: $*"
    exit "$NONE"
}

apt -o APT::Update::Error-Mode=any update >/dev/null
main=$(mirror_of bookworm)
security=$(mirror_of bookworm-security)
[ -n "$main" ] || { say "this machine's apt sources do not have the suite bookworm"; exit 1; }

# Pinned so low that nothing that Debian 12 has is ever taken from Debian 11.
printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n\n' bullseye > "$PREFERENCES"
printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n' bullseye-security >> "$PREFERENCES"
: > "$LIST"
try_suite "$main" bullseye || give_up "this machine's mirror no longer has Debian 11"
# Without the security suite its older build of the same Asterisk serves as well.
[ -z "$security" ] || try_suite "$security" bullseye-security || say "no security updates for Debian 11 on this mirror"

# Named by version: naming the suite would draw every library from Debian 11 too, which a bare machine cannot resolve.
version=$(apt-cache madison asterisk | awk -F' *[|] *' '$3 ~ /bullseye/ { print $2; exit }')
[ -n "$version" ] || give_up "this machine's mirror has no Asterisk for Debian 11"

# The package would start a switch on all addresses.
if [ ! -e "$POLICY" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$POLICY"
    chmod 755 "$POLICY"
    trap 'rm -f "$POLICY"' EXIT
fi
apt install --no-install-recommends "asterisk=$version" "asterisk-modules=$version" "asterisk-config=$version" \
    asterisk-core-sounds-en-gsm sip-tester >/dev/null
if command -v systemctl >/dev/null; then
    systemctl mask asterisk.service >/dev/null 2>&1 || true # no init in a container
fi
say "installed $(asterisk -V | tr -d '\n') and SIPp"
