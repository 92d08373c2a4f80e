#!/bin/sh
# Bring the example fleet up in tmux, or take it down. `make demo` and `make demo-down` call this.
set -eu

cd "$(dirname "$0")/.."
houmao=.venv/bin/houmao
fleet=examples/houmao

need_tmux() {
    if command -v tmux >/dev/null 2>&1; then
        return
    fi
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "tmux is missing; installing it with apt-get" >&2
        apt-get update -qq && apt-get install -y -qq tmux >&2
        return
    fi
    echo "tmux is missing, and agents live in it. Install it: $(install_command)" >&2
    exit 1
}

install_command() {
    if command -v apt-get >/dev/null 2>&1; then
        echo "sudo apt-get install tmux"
    elif command -v dnf >/dev/null 2>&1; then
        echo "sudo dnf install tmux"
    elif command -v brew >/dev/null 2>&1; then
        echo "brew install tmux"
    else
        echo "your package manager's 'install tmux'"
    fi
}

up() {
    "$houmao" apply -f "$fleet" --wait --yes
    echo
    "$houmao" get instances
    cat <<EOF

The fleet is up. Three things to try:
  1. Talk to an agent; leave with Ctrl-b d
       $houmao attach coder-1
  2. Change a prompt, and see which agents that concerns
       echo "Ask before you guess." >> $fleet/prompts/coder.md
       $houmao plan -f $fleet
  3. Ask why an agent is as it is
       $houmao describe instance coder-1
Take it down with 'make demo-down'.
EOF
}

# The tmux server houmao uses: a path or a name in HOUMAO_TMUX_SOCKET, else the default one.
tmux_here() {
    case "${HOUMAO_TMUX_SOCKET:-}" in
        "") tmux "$@" ;;
        */*) tmux -S "$HOUMAO_TMUX_SOCKET" "$@" ;;
        *) tmux -L "$HOUMAO_TMUX_SOCKET" "$@" ;;
    esac
}

# A session of the demo names its manifest, and the manifest lies in this overlay; nobody else's session does that.
sessions_left() {
    tmux_here list-sessions -F '#{session_id} #{session_name}' 2>/dev/null | while read -r id name; do
        case "$(tmux_here show-environment -t "$id" HOUMAO_MANIFEST_PATH 2>/dev/null)" in
            "HOUMAO_MANIFEST_PATH=$PWD/.houmao/"*) echo "$name" ;;
        esac
    done
}

# An agent carries the path of its manifest in its environment, with a terminal or without.
processes_left() {
    [ ! -d /proc/self ] || grep -lzF "HOUMAO_MANIFEST_PATH=$PWD/.houmao/" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

down() {
    "$houmao" delete -f "$fleet" --yes --cascade
    left=$(sessions_left)
    if [ -n "$left" ]; then
        echo "these sessions are still there:" >&2
        echo "$left" >&2
        exit 1
    fi
    left=$(processes_left)
    if [ -n "$left" ]; then
        echo "these processes are still there:" $left >&2
        exit 1
    fi
    echo "No session and no process of the demo is left."
}

case "${1:-}" in
    need-tmux) need_tmux ;;
    up) need_tmux && up ;;
    down) down ;;
    *)
        echo "usage: tools/demo.sh up|down|need-tmux" >&2
        exit 64
        ;;
esac
