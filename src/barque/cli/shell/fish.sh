# Completes barque in fish. Load it with: barque completion fish | source
function __barque_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env COMP_WORDS="$words" COMP_CWORD=(math (count $words) - 1) \
        _BARQUE_COMPLETE=complete_bash barque 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command barque --no-files --arguments '(__barque_completion)'
