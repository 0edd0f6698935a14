# Completes barque in bash. Load it with: eval "$(barque completion bash)"
_barque_completion() {
    local IFS=$'\n'
    COMPREPLY=($(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \
        _BARQUE_COMPLETE=complete_bash "$1" 2>/dev/null))
    # What ends with a slash goes on.
    if [[ ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -o default -F _barque_completion barque
