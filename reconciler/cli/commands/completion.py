"""`houmao completion`: the script by which a shell completes our command lines.

The script knows no command itself: it asks the program (`cli.complete`), so it never grows old.
"""

from reconciler.cli.grammar import Args, Argument, Command, Example

BASH = """\
# Completion of houmao for bash. Written by `houmao completion bash`.
_houmao() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <("${1/#\\~/$HOME}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o default -F _houmao houmao houmao-mgr
"""
ZSH = """\
#compdef houmao houmao-mgr
# Completion of houmao for zsh. Written by `houmao completion zsh`.
_houmao() {
    local word
    local -a found open
    for word in "${(@f)$(${(Q)~words[1]} __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        case "$word" in
            ("") ;;
            (*[=/]) open+=("$word") ;;
            (*) found+=("$word") ;;
        esac
    done
    if (( ${#found} + ${#open} == 0 )); then
        _files
        return
    fi
    (( ${#found} )) && compadd -- "${found[@]}"
    (( ${#open} )) && compadd -S "" -- "${open[@]}"
    return 0
}
if [[ "${funcstack[1]}" == "_houmao" ]]; then
    _houmao "$@"
elif (( $+functions[compdef] )); then
    compdef _houmao houmao houmao-mgr
fi
"""
FISH = """\
# Completion of houmao for fish. Written by `houmao completion fish`.
function __houmao_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l found ($program __complete fish $words "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$last"
    end
end
complete -c houmao -f -a '(__houmao_complete)'
complete -c houmao-mgr -f -a '(__houmao_complete)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def completion(args: Args) -> int:
    """Print it."""
    import sys

    from reconciler.cli import screen
    from reconciler.cli.render_data import write

    shell = args.text("shell")
    form = screen.data_format(args)
    if form:
        write({"shell": shell, "script": SCRIPTS[shell]}, form)
    else:
        sys.stdout.write(SCRIPTS[shell])
    return 0


COMMANDS = (
    Command(
        "completion",
        "Print the script by which a shell completes command lines.",
        completion,
        arguments=(Argument("shell", "bash|zsh|fish", "the shell", choices=tuple(SCRIPTS)),),
        examples=(
            Example("houmao completion bash", "for bash: append it to ~/.bashrc"),
            Example(
                "houmao completion zsh", "for zsh: a file _houmao in a directory of fpath, or appended to ~/.zshrc"
            ),
            Example("houmao completion fish", "for fish: ~/.config/fish/completions/houmao.fish"),
        ),
        notes=(
            "Commands, options, the values an option may have, and the names of what is recorded are completed; where "
            "none of these fits, files are. The script asks the program, so it need not be renewed."
        ),
    ),
)
