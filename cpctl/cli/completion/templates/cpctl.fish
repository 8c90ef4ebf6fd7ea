# fish completion of cpctl. Written by `make docs`; `cpctl completion fish` prints it.
#
# Words that do not change stand here. Only profiles, references and ids are asked of
# cpctl (`cpctl __complete`), which looks at files of this machine and never at the network.
# No word is ever evaluated.

function __cpctl_shared --no-scope-shadowing # sets the options of every command: names, kind of the value (- for none), a sentence
    @SHARED@
end

function __cpctl_table --no-scope-shadowing # sets what may follow the command $path; fails where there is no such command
    set subcommands
    set switches
    set arguments
    switch "$path"
        @COMMANDS@
        case '*'
            return 1
    end
    return 0
end

function __cpctl_known --no-scope-shadowing # sets the words of the kind $kind; fails for a kind that has to be asked for
    set found
    switch "$kind"
        @WORDS@
        case '*'
            return 1
    end
    return 0
end

function __cpctl_option --no-scope-shadowing # sets kind for the option $name; remembers that it was given
    set -l record
    for record in $switches $shared
        set -l parts (string split -m 2 ' ' -- $record)
        if contains -- $name (string split , -- (string trim -r -c '*' -- $parts[1]))
            set kind $parts[2]
            string match -q '*\*' -- $parts[1]; or set -a taken $parts[1]
            return 0
        end
    end
    return 1
end

function __cpctl_cluster --no-scope-shadowing # short options in one word, such as -qv or -ojson
    set -l letters (string split '' -- (string sub -s 2 -- $word))
    set -l number 0
    set attached
    for letter in $letters
        set number (math $number + 1)
        set name -$letter
        __cpctl_option; or return
        if test "$kind" != -
            test $number = (count $letters); and set wanted $kind
            set attached (string sub -l (math $number + 1) -- $word)
            return
        end
    end
end

function __cpctl_walk --no-scope-shadowing # reads the words before the cursor
    set -l word
    set -l place 1
    for word in $tokens[2..-1]
        set place (math $place + 1)
        if test -n "$wanted"
            test "$wanted" = countries; and set country $word
            set wanted
        else if test -z "$ended"; and contains -- $word --
            set ended yes
        else if test -z "$ended"; and string match -q -- '--*=*' $word
            set -l pair (string split -m 1 = -- $word)
            set name $pair[1]
            __cpctl_option; and test "$kind" = countries; and set country $pair[2]
        else if test -z "$ended"; and string match -q -- '--*' $word
            set name $word
            __cpctl_option; and test "$kind" != -; and set wanted $kind
        else if test -z "$ended"; and string match -q -- '-?*' $word
            __cpctl_cluster
        else if set -q subcommands[1]
            set path (string trim -- "$path $word")
            __cpctl_table; or return 1
        else if string match -q 'command-line*' -- "$arguments[1]"
            set begin $place
            return 0
        else
            set count (math $count + 1)
        end
    end
    return 0
end

function __cpctl_show --no-scope-shadowing # offers the words of $list, each with a sentence behind a blank
    set -l line
    for line in $list
        printf '%s%s\n' "$before" (string replace ' ' \t -- $line)
    end
end

function __cpctl_offer --no-scope-shadowing # offers the words of the kinds $wanted
    set -l kind
    for kind in (string split + -- $wanted)
        test "$kind" = country-states; and set kind states-(string upper -- "$country")
        switch $kind
            case free states-
            case files
                for line in (__fish_complete_path "$typed")
                    printf '%s%s\n' "$before" $line
                end
            case folders
                for line in (__fish_complete_directories "$typed" '')
                    printf '%s%s\n' "$before" $line
                end
            case commands
                complete -C "$typed"
            case '*'
                set -l found
                if __cpctl_known
                    set -l list $found
                    __cpctl_show
                else
                    for line in (command $program __complete $kind $tokens[2..-1] 2>/dev/null </dev/null)
                        printf '%s%s\n' "$before" $line
                    end
                end
        end
    end
end

function __cpctl_options --no-scope-shadowing # offers the options that were not given yet
    set -l seen
    for record in $switches $shared
        set -l parts (string split -m 2 ' ' -- $record)
        contains -- $parts[1] $taken; and continue
        for name in (string split , -- (string trim -r -c '*' -- $parts[1]))
            contains -- $name $seen; and continue
            set -a seen $name
            printf '%s\t%s\n' $name $parts[3]
        end
    end
end

function __cpctl_argument --no-scope-shadowing # offers what may stand next without a name
    set wanted $arguments[(math $count + 1)]
    if test -z "$wanted"; and string match -q '*\*' -- "$arguments[-1]"
        set wanted $arguments[-1]
    end
    set wanted (string trim -r -c '*' -- $wanted)
    if test -n "$wanted"
        __cpctl_offer
    else if test -z "$ended"
        __cpctl_options
    end
end

function __cpctl_complete
    set -l tokens (commandline -opc)
    set -l typed (commandline -ct)
    set -l program cpctl
    string match -q '*/*' -- $tokens[1]; and set program (string replace -r '^~/' $HOME/ -- $tokens[1])
    set -l path ''
    set -l count 0
    set -l before ''
    set -l wanted
    set -l ended
    set -l country
    set -l begin
    set -l taken
    set -l kind
    set -l name
    set -l attached
    set -l shared
    set -l subcommands
    set -l switches
    set -l arguments
    __cpctl_shared
    __cpctl_table
    __cpctl_walk; or return
    set attached
    if test -z "$begin"; and test -z "$wanted"; and string match -q 'command-line*' -- "$arguments[1]"
        if test -n "$ended"; or not string match -q -- '-*' "$typed"
            set begin (math (count $tokens) + 1)
        end
    end
    if test -n "$begin" # a command of its own, completed by its own rules
        set -l rest (string escape -- $tokens[$begin..-1])
        test $begin -gt (count $tokens); and set rest
        complete -C (string join ' ' -- $rest "$typed")
    else if test -n "$wanted"
        __cpctl_offer
    else if test -z "$ended"; and string match -q -- '--*=*' "$typed"
        set -l pair (string split -m 1 = -- $typed)
        set name $pair[1]
        __cpctl_option; or return
        test "$kind" = -; and return
        set before "$name="
        set typed $pair[2]
        set wanted $kind
        __cpctl_offer
    else if test -z "$ended"; and string match -q -- '-*' "$typed"
        set -l word $typed
        string match -qr -- '^-[^-].' "$typed"; and __cpctl_cluster
        if test -n "$attached"
            set before $attached
            set typed (string sub -s (math (string length -- $attached) + 1) -- $typed)
            set wanted $kind
            __cpctl_offer
        else
            __cpctl_options
        end
    else if set -q subcommands[1]
        set -l list $subcommands
        __cpctl_show
    else
        __cpctl_argument
    end
end

complete -c cpctl -e
complete -c cpctl -k -f -a '(__cpctl_complete)'
