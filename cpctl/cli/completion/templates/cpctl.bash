# bash completion of cpctl. Written by `make docs`; `cpctl completion bash` prints it.
#
# Words that do not change stand here. Only profiles, references and ids are asked of
# cpctl (`cpctl __complete`), which looks at files of this machine and never at the network.
# No word is ever evaluated. Bash 3.2 can read this.

_cpctl_shared() { # sets the options of every command: names, and the kind of the value (- for none)
    @SHARED@
}

_cpctl_table() { # sets what may follow the command $1; fails where there is no such command
    subcommands=() switches=() arguments=()
    case $1 in
        @COMMANDS@
        *) return 1 ;;
    esac
}

_cpctl_known() { # sets the words of the kind $1; fails for a kind that has to be asked for
    found=()
    case $1 in
        @WORDS@
        *) return 1 ;;
    esac
}

_cpctl_split() { # sets words, up to the cursor, as they were typed: readline parts them at = and : as well
    local line=${COMP_LINE:0:COMP_POINT} number piece rest
    words=() places=()
    for ((number = 0; number <= COMP_CWORD; number++)); do
        rest=${line#"${line%%[! $'\t']*}"}
        piece=${COMP_WORDS[number]}
        ((number == COMP_CWORD)) && piece=$rest
        if ((number > 0)) && [[ $rest == "$line" ]]; then
            words[${#words[@]} - 1]+=$piece
        else
            words[${#words[@]}]=$piece
            places[${#places[@]}]=$number
        fi
        line=${rest#"$piece"}
    done
}

_cpctl_plain() { # sets plain: $1 without quotes and backslashes; and quote: the one that is still open
    local rest=$1 sign
    plain=$1 quote=
    case $1 in *[\'\"\\]*) plain= ;; *) return ;; esac
    while [[ $rest ]]; do
        sign=${rest:0:1} rest=${rest:1}
        if [[ $sign == '\' && $quote != \' ]]; then
            plain+=${rest:0:1} rest=${rest:1}
        elif [[ $quote && $sign == "$quote" ]]; then
            quote=
        elif [[ ! $quote && ($sign == \' || $sign == '"') ]]; then
            quote=$sign
        else
            plain+=$sign
        fi
    done
}

_cpctl_option() { # sets kind and repeated for the option named $1; remembers that it was given
    local record
    for record in "${switches[@]}" "${shared[@]}"; do
        local names=${record%% *}
        case ,${names%\*}, in
            *,"$1",*)
                kind=${record#* }
                [[ $names == *\* ]] || taken+=" $names "
                return 0
                ;;
        esac
    done
    return 1
}

_cpctl_cluster() { # short options in one word, such as -qv or -ojson; sets wanted where a value is still to come
    local rest=${1#-} kind
    while [[ $rest ]]; do
        _cpctl_option "-${rest:0:1}" || return
        rest=${rest:1}
        if [[ $kind != - ]]; then
            [[ $rest ]] || wanted=$kind
            attached=${1%"$rest"} attached_kind=$kind
            return
        fi
    done
}

_cpctl_walk() { # reads the words before the cursor: path, arguments so far, the option whose value comes next
    local number word kind attached attached_kind
    path= count=0 wanted= ended= country= begin= taken=
    _cpctl_table ''
    for ((number = 1; number < ${#words[@]} - 1; number++)); do
        word=${plains[number]}
        if [[ $wanted ]]; then
            [[ $wanted == countries ]] && country=$word
            wanted=
        elif [[ ! $ended && $word == -- ]]; then
            ended=yes
        elif [[ ! $ended && $word == --*=* ]]; then
            _cpctl_option "${word%%=*}" && [[ $kind == countries ]] && country=${word#*=}
        elif [[ ! $ended && $word == --* ]]; then
            _cpctl_option "$word" && [[ $kind != - ]] && wanted=$kind
        elif [[ ! $ended && $word == -?* ]]; then
            _cpctl_cluster "$word"
        elif ((${#subcommands[@]})); then
            path="${path:+$path }$word"
            _cpctl_table "$path" || return 1
        elif [[ ${arguments[0]} == command-line* ]]; then
            begin=$number
            return 0
        else
            ((count++))
        fi
    done
    return 0
}

_cpctl_add() { # offers the word $1, if it begins as what was typed; written so that the shell reads it as one word
    local text=$1
    [[ $text == "$typed"* ]] || return
    case $quote in
        \') [[ $text == *\'* ]] && return ;;
        '"')
            [[ $text == *'!'* ]] && return # history would be put in its place
            text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//\$/\\\$} text=${text//\`/\\\`}
            ;;
        *) [[ $text == *[!A-Za-z0-9_./:=@%+,-]* ]] && printf -v text %q "$text" ;;
    esac
    text=$before$text
    COMPREPLY[${#COMPREPLY[@]}]=${text#"$strip"}
}

_cpctl_ask() { # offers the words of the kind $1 that only cpctl knows
    local word more
    while IFS=$'\t' read -r word more; do
        _cpctl_add "$word"
    done < <(command "$program" __complete "$1" "${plains[@]:1:${#plains[@]}-2}" 2>/dev/null </dev/null)
}

_cpctl_offer() { # offers the words of the kinds $1
    local kind word found
    for kind in ${1//+/ }; do
        [[ $kind == country-states ]] && kind="states-$(printf %s "$country" | tr '[:lower:]' '[:upper:]')"
        case $kind in
            free | states-) ;;
            files) type compopt >/dev/null 2>&1 && compopt -o default ;;
            folders) type compopt >/dev/null 2>&1 && compopt -o dirnames ;;
            commands) while read -r word; do _cpctl_add "$word"; done < <(compgen -c -- "$typed" | sort -u) ;;
            *)
                if _cpctl_known "$kind"; then
                    for word in "${found[@]}"; do _cpctl_add "$word"; done
                else
                    _cpctl_ask "$kind"
                fi
                ;;
        esac
    done
}

_cpctl_options() { # offers the options that were not given yet
    local record names name
    for record in "${switches[@]}" "${shared[@]}"; do
        names=${record%% *}
        [[ $taken == *" $names "* ]] && continue
        names=${names%\*}
        for name in ${names//,/ }; do _cpctl_add "$name"; done
    done
}

_cpctl_argument() { # offers what may stand next without a name
    local last=$((${#arguments[@]} - 1)) argument
    argument=${arguments[count]}
    ((count > last && last >= 0)) && [[ ${arguments[last]} == *\* ]] && argument=${arguments[last]}
    if [[ $argument ]]; then
        _cpctl_offer "${argument%\*}"
    elif [[ ! $ended ]]; then
        _cpctl_options
    fi
}

_cpctl_command() { # completes the command that stands within the line from its word $1 on
    if [[ ${plains[$1]##*/} == cpctl && $1 -lt $((${#words[@]} - 1)) ]]; then
        words=("${words[@]:$1}") plains=("${plains[@]:$1}")
        _cpctl_line
    elif (($1 == ${#words[@]} - 1)); then
        _cpctl_offer commands
    elif type _command_offset >/dev/null 2>&1; then
        _command_offset "${places[$1]}"
    else
        _cpctl_offer files
    fi
}

_cpctl_line() { # completes the last of words
    local switches subcommands arguments path count wanted ended country begin taken kind attached attached_kind name sign
    local last=$((${#words[@]} - 1))
    _cpctl_walk || return
    if [[ ! $begin && ${arguments[0]} == command-line* && ($ended || $typed != -*) && ! $wanted ]]; then
        begin=$last
    fi
    if [[ $begin ]]; then
        _cpctl_command "$begin"
        return
    fi
    if [[ $wanted ]]; then
        _cpctl_offer "$wanted"
    elif [[ ! $ended && $typed == --*=* ]]; then
        name=${typed%%=*}
        _cpctl_option "$name" || return
        [[ $kind == - ]] && return
        before="$name=" typed=${typed#*=}
        _cpctl_offer "$kind"
    elif [[ ! $ended && $typed == -* ]]; then
        [[ $typed == -[!-]?* ]] && _cpctl_cluster "$typed"
        if [[ $attached ]]; then
            before=$attached typed=${typed#"$attached"}
            _cpctl_offer "$attached_kind"
        else
            _cpctl_options
        fi
    elif ((${#subcommands[@]})); then
        for name in "${subcommands[@]}"; do _cpctl_add "$name"; done
    else
        _cpctl_argument
    fi
}

_cpctl() {
    local words places plains=() plain quote shared program sign typed before= strip= current number IFS=$' \t\n'
    COMPREPLY=()
    _cpctl_split
    _cpctl_shared
    for ((number = 0; number < ${#words[@]}; number++)); do
        _cpctl_plain "${words[number]}"
        plains[number]=$plain
    done
    program=${plains[0]/#\~\//$HOME/}
    [[ $program == */* ]] || program=cpctl
    typed=$plain current=${words[${#words[@]} - 1]}
    # Readline puts a reply in place of what stands behind the last of these signs, or behind an open quote.
    if [[ $quote ]]; then
        strip=${current%%"$quote"*}
    else
        for sign in = : @; do
            if [[ $COMP_WORDBREAKS == *"$sign"* && $current == *"$sign"* ]]; then
                [[ ${current%"$sign"*}$sign == "$strip"* ]] && strip=${current%"$sign"*}$sign
            fi
        done
    fi
    _cpctl_line
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=,] ]]; then
        type compopt >/dev/null 2>&1 && compopt -o nospace
    fi
}

if type compopt >/dev/null 2>&1; then
    complete -F _cpctl cpctl
else
    complete -o default -F _cpctl cpctl
fi
