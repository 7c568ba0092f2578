package main

import "strings"

// standAlone returns cobra's script for bash as one that needs no other: it calls functions
// of the package bash-completion, which a plain bash and that of macOS do not have.
func standAlone(script string) string {
	return strings.ReplaceAll(script, "_filedir", "__monitor_filedir") + bashAlone
}

// bashAlone replaces what the script takes from bash-completion. It is for bash 3.2 too,
// which has neither compopt nor a list of words that is cut at "=" and ":".
const bashAlone = `
# What the package bash-completion has is taken from there. The rest is for a bash without it.
__monitor_init_completion()
{
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    # The words as far as the cursor, put together again where bash has cut them at = and :.
    local i word blanks line=${COMP_LINE:0:COMP_POINT} cut='^[=:]+$'
    words=() cword=-1
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${line%%[! ]*} line=${line#"${line%%[! ]*}"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        line=${line:${#word}}
        if ((i > 0)) && [[ -z $blanks && ($word =~ $cut || ${COMP_WORDS[i-1]} =~ $cut) ]]; then
            words[cword]+=$word
        else
            words[++cword]=$word
        fi
    done
    cur=${words[cword]} prev=
    ((cword == 0)) || prev=${words[cword-1]}
}

__monitor_filedir()
{
    if declare -F _filedir >/dev/null 2>&1; then
        _filedir "$@"
        return
    fi
    local IFS=$'\n'
    COMPREPLY=($(compgen -d -- "$cur"))
    if [[ $(type -t compopt) == builtin ]]; then
        compopt -o filenames
    fi
}
`
