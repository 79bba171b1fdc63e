# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by the other scripts: the Debian packages that each of them needs, and how to install and build.
# The caller has set $root to the top of the checkout.

library_packages="gcc libc6-dev make cmake libjpeg62-turbo-dev libpng-dev libdeflate-dev liblcms2-dev libxxhash-dev
    nettle-dev libseccomp-dev pkg-config"
build_packages="$library_packages libopenmpi-dev openmpi-bin"
test_packages="libcmocka-dev g++ clang clang-format python3 python3-pil xxhash"
photo_package="lomiri-wallpapers-16.04" # 15 photographs of 1 to 16 megapixels, depends on nothing

# missing PACKAGE...: prints the packages that are not installed.
missing() {
    for package; do
        case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) in
            ii*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# need PACKAGE...: installs missing packages. If it is neither root nor allowed to use sudo without a password, it prints
# their names and exits.
need() {
    absent=$(missing "$@")
    [ -n "$absent" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "${0##*/}: please install these packages: $absent" >&2
        exit 69
    fi
    echo "${0##*/}: installing $absent" >&2
    packages_log=$(mktemp)
    # shellcheck disable=SC2086 # $as_root and $absent are lists of words
    if ! { $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends $absent; } >"$packages_log" 2>&1; then
        cat "$packages_log" >&2
        echo "${0##*/}: apt-get could not install $absent" >&2
        exit 69
    fi
    rm -f "$packages_log"
}

# configure_and_build DIRECTORY [CMAKE OPTION...]: prints the output of cmake and make only on failure.
configure_and_build() {
    build_dir=$1
    shift
    [ -e "$build_dir/CMakeCache.txt" ] ||
        echo "${0##*/}: building in ${build_dir#"$PWD"/}, which takes about a minute; its log is build.log there" >&2
    mkdir -p "$build_dir"
    if ! { cmake -S "$root" -B "$build_dir" "$@" &&
        cmake --build "$build_dir" --parallel "$(nproc)"; } >"$build_dir/build.log" 2>&1; then
        cat "$build_dir/build.log" >&2
        echo "${0##*/}: the build in $build_dir failed; if the checkout was moved or copied, remove that folder and try again" >&2
        return 1
    fi
}

# Open MPI refuses to run as root unless both variables are set. Containers and build machines run as root.
allow_mpi_as_root() {
    [ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}
