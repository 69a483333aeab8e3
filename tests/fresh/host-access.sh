# shellcheck shell=bash
# How this machine reaches the network, gathered for a fresh root. Everything is
# copied from the host, so that no host name stands in the tree; nothing that
# holds a secret (apt's auth.conf, cargo's credentials, tokens) is copied.
# Source after container/lib.sh and container/debian-root.sh.

# Variables that say how to reach the network, none that say how to build.
host_environment() {
    local name value
    for name in $(compgen -e); do
        case $name in
        *TOKEN* | *SECRET* | *PASSWORD*) continue ;;
        http_proxy | https_proxy | ftp_proxy | all_proxy | no_proxy | \
            HTTP_PROXY | HTTPS_PROXY | FTP_PROXY | ALL_PROXY | NO_PROXY | \
            CARGO_HTTP_* | CARGO_NET_* | CARGO_REGISTRIES_* | CARGO_REGISTRY_* | CARGO_SOURCE_*) ;;
        # Only where the file exists inside: the bundle that is rebuilt there.
        SSL_CERT_FILE | CURL_CA_BUNDLE | GIT_SSL_CAINFO | REQUESTS_CA_BUNDLE | PIP_CERT)
            [ "${!name}" = /etc/ssl/certs/ca-certificates.crt ] || continue
            ;;
        *) continue ;;
        esac
        value=${!name}
        printf '%s=%s\0' "$name" "$value"
    done
}

# The tables of cargo's configuration that concern registries. Others (a linker,
# a wrapper, a target folder) name things that a fresh machine has not got.
cargo_registries() {
    local file home=${CARGO_HOME:-$HOME/.cargo}
    for file in "$home/config.toml" "$home/config"; do
        [ -f "$file" ] || continue
        awk '/^[[:space:]]*\[/ { keep = $0 ~ /^[[:space:]]*\[+(source|registries|registry|http|net)[].]/ }
            keep && !/^[[:space:]]*token[[:space:]]*=/' "$file"
        return
    done
}

# host_access DIR: writes files for the root below DIR/root, the environment,
# NUL-separated, to DIR/environment.
host_access() {
    local root=$1/root home=root/.cargo
    mkdir -p "$root/etc/apt/sources.list.d" "$root/etc/apt/apt.conf.d" "$root/usr/local/share/ca-certificates" "$root/$home"
    host_environment >"$1/environment"
    debian_sources >"$root/etc/apt/sources.list"
    # No Debian host: the sources that the root was built from stay.
    [ -s "$root/etc/apt/sources.list" ] || rm "$root/etc/apt/sources.list"
    host_apt_options >"$root/etc/apt/apt.conf.d/90host"
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp -L -t "$root/usr/local/share/ca-certificates" {} +
    cargo_registries >"$root/$home/config.toml"
    [ -s "$root/$home/config.toml" ] || rm -r "${root:?}/${home%/*}"
}
