#compdef cpctl
# zsh completion of cpctl. Written by `make docs`; `cpctl completion zsh` prints it.
#
# Words that do not change stand here. Only profiles, references and ids are asked of
# cpctl (`cpctl __complete`), which looks at files of this machine and never at the network.
# No word is ever evaluated.

_cpctl_shared() { # sets the options of every command: names, kind of the value (- for none), a sentence
    @SHARED@
}

_cpctl_table() { # sets what may follow the command $1; fails where there is no such command
    subcommands=() switches=() arguments=()
    case $1 in
        @COMMANDS@
        (*) return 1 ;;
    esac
}

_cpctl_known() { # sets the words of the kind $1; fails for a kind that has to be asked for
    found=()
    case $1 in
        @WORDS@
        (*) return 1 ;;
    esac
}

_cpctl_option() { # sets kind for the option named $1; remembers that it was given
    local record names
    for record in $switches $shared; do
        names=${record%% *}
        if [[ ,${names%\*}, == *,$1,* ]]; then
            kind=${${record#* }%% *}
            [[ $names == *\* ]] || taken+=($names)
            return 0
        fi
    done
    return 1
}

_cpctl_cluster() { # short options in one word, such as -qv or -ojson; sets wanted where a value is still to come
    local rest=${1#-} kind
    while [[ -n $rest ]]; do
        _cpctl_option "-${rest[1]}" || return
        rest=${rest[2,-1]}
        if [[ $kind != - ]]; then
            [[ -n $rest ]] || wanted=$kind
            attached=${1%"$rest"} attached_kind=$kind
            return
        fi
    done
}

_cpctl_walk() { # reads the words before the cursor: path, arguments so far, the option whose value comes next
    local number word kind attached attached_kind
    for ((number = 2; number < CURRENT; number++)); do
        word=${(Q)words[number]}
        if [[ -n $wanted ]]; then
            [[ $wanted == countries ]] && country=$word
            wanted=
        elif [[ -z $ended && $word == -- ]]; then
            ended=yes
        elif [[ -z $ended && $word == --*=* ]]; then
            _cpctl_option "${word%%=*}" && [[ $kind == countries ]] && country=${word#*=}
        elif [[ -z $ended && $word == --* ]]; then
            _cpctl_option "$word" && [[ $kind != - ]] && wanted=$kind
        elif [[ -z $ended && $word == -?* ]]; then
            _cpctl_cluster "$word"
        elif (( $#subcommands )); then
            path_of="${path_of:+$path_of }$word"
            _cpctl_table "$path_of" || return 1
        elif [[ ${arguments[1]} == command-line* ]]; then
            begin=$number
            return 0
        else
            (( count++ ))
        fi
    done
    return 0
}

_cpctl_show() { # offers the words of the array $2, each with a sentence behind a blank, under the heading $1
    local word more line
    local -a open closed
    for line in "${(@P)2}"; do
        word=${line%%$3*} more=
        [[ $line == *$3* ]] && more=${line#*$3}
        line=${word//(#m)[\\:]/\\$MATCH}${more:+:$more}
        if [[ $word == *[=,] ]]; then open+=("$line"); else closed+=("$line"); fi
    done
    (( $#closed )) && _describe -V -t cpctl-$1 $1 closed && shown=0
    (( $#open )) && _describe -V -t cpctl-$1 $1 open -S '' && shown=0
    return 0
}

_cpctl_offer() { # offers the words of the kinds $1
    local kind
    local -a found asked
    for kind in ${(s:+:)1}; do
        [[ $kind == country-states ]] && kind=states-${(U)country}
        case $kind in
            (free|states-) ;;
            (files) _files && shown=0 ;;
            (folders) _files -/ && shown=0 ;;
            (commands) _command_names -e && shown=0 ;;
            (*)
                if _cpctl_known $kind; then
                    _cpctl_show ${kind%%-[A-Z]*} found ' '
                else
                    asked=(${(f)"$(command $program __complete $kind "${(@Q)words[2,CURRENT-1]}" 2>/dev/null </dev/null)"})
                    _cpctl_show $kind asked $'\t'
                fi
                ;;
        esac
    done
}

_cpctl_options() { # offers the options that were not given yet
    local record names name
    local -a list seen
    for record in $switches $shared; do
        names=${record%% *}
        (( ${taken[(Ie)$names]} )) && continue
        for name in ${(s:,:)names%\*}; do
            (( ${seen[(Ie)$name]} )) && continue
            seen+=($name)
            list+=("$name ${${record#* }#* }")
        done
    done
    _cpctl_show options list ' '
}

_cpctl_argument() { # offers what may stand next without a name
    local argument=${arguments[count + 1]}
    [[ -z $argument && ${arguments[-1]} == *\* ]] && argument=${arguments[-1]}
    if [[ -n $argument ]]; then
        _cpctl_offer ${argument%\*}
    elif [[ -z $ended ]]; then
        _cpctl_options
    fi
}

_cpctl() {
    emulate -L zsh
    setopt extended_glob no_glob_subst
    local program=${(Q)words[1]/#\~\//$HOME/} path_of= wanted= ended= country= begin= kind attached attached_kind
    local typed=${(Q)PREFIX} shown=1
    local -i count=0
    local -a shared subcommands switches arguments taken
    [[ $program == */* ]] || program=cpctl
    _cpctl_shared
    _cpctl_table ''
    _cpctl_walk || return 1
    if [[ -z $begin && -z $wanted && ${arguments[1]} == command-line* && ( -n $ended || $typed != -* ) ]]; then
        begin=$CURRENT
    fi
    if [[ -n $begin ]]; then # a command of its own, completed by its own rules
        shift $((begin - 1)) words
        (( CURRENT -= begin - 1 ))
        _normal
        return
    fi
    if [[ -n $wanted ]]; then
        _cpctl_offer $wanted
    elif [[ -z $ended && $typed == --*=* ]]; then
        _cpctl_option ${typed%%=*} || return 1
        [[ $kind == - ]] && return 1
        compset -P '[^=]#='
        _cpctl_offer $kind
    elif [[ -z $ended && $typed == -* ]]; then
        [[ $typed == -[^-]?* ]] && _cpctl_cluster $typed
        if [[ -n $attached ]]; then
            compset -p $#attached
            _cpctl_offer $attached_kind
        else
            _cpctl_options
        fi
    elif (( $#subcommands )); then
        _cpctl_show commands subcommands ' '
    else
        _cpctl_argument
    fi
    return shown
}

# Loaded from a folder of functions this is the function itself; read in with `source`, it has to be announced.
if [[ ${funcstack[1]} == _cpctl ]]; then
    _cpctl "$@"
else
    compdef _cpctl cpctl
fi
