#compdef barque
# Completes barque in zsh. Load it, after compinit, with: eval "$(barque completion zsh)"
_barque_completion() {
    local -a found whole open
    local one
    found=("${(@f)$(env COMP_WORDS="${(j: :)words}" COMP_CWORD=$((CURRENT - 1)) \
        _BARQUE_COMPLETE=complete_bash "${words[1]}" 2>/dev/null)}")
    for one in $found; do
        # What ends with a slash goes on.
        if [[ $one == */ ]]; then open+=("$one"); else whole+=("$one"); fi
    done
    if ((!$#open && !$#whole)); then _files; return; fi
    compadd -S '' -a open
    compadd -a whole
}
compdef _barque_completion barque
