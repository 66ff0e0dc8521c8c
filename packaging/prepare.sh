# Sourced by run and test: Debian packages, libtorch, configure, build. Expects $root.
set -euo pipefail

pins() {  # the lines of one section of pins.txt
    awk -v want="[$1]" '/^\[/ { on = ($0 == want); next } on && NF && !/^#/' "$root/packaging/pins.txt"
}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
fail() { printf 'packaging: %s\n' "$*" >&2; exit 1; }

# Installs what is missing of the given sections; asks for root only then.
debian_packages() {
    command -v dpkg-query >/dev/null || {
        say "no dpkg here, so the packages of packaging/pins.txt are taken to be installed"
        return
    }
    local wanted missing=() package
    wanted=$(for section in "$@"; do pins "$section"; done | sort -u)
    for package in $wanted; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing and neither root nor sudo is at hand: ${missing[*]}"
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" \
        || fail "apt-get could not install: ${missing[*]}"
}

# As many compile jobs as cores, but no more than memory carries (1.5 GB a job).
jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
    [ "${memory:-1}" -lt 1 ] && memory=1
    echo $(( cores < memory ? cores : memory ))
}

# build PRESET [TARGET…]
build() {
    local preset=$1
    shift
    say "configuring ($preset)"
    (cd "$root" && cmake --preset "$preset" > "$root/build/configure-$preset.log" 2>&1) || {
        cat "$root/build/configure-$preset.log" >&2
        fail "the configuration failed; the lines above say why"
    }
    say "building with $(jobs) jobs"
    (cd "$root" && cmake --build --preset "$preset" -j "$(jobs)" ${1:+--target "$@"}) || fail "the build failed"
}
