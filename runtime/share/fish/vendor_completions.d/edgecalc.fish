# Completions of edgecalc, written by make manual from its parser.

complete -c edgecalc -f
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -a predict -d 'answer every line of files'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -a info -d 'describe the model'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -s h -l help -d 'show this help message and exit'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -l model -r -F -d 'an exported model file (the one in the package)'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -l version -d 'show program\'s version number and exit'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -l explain -d 'show the network\'s working'
complete -c edgecalc -n 'not __fish_seen_subcommand_from predict info' -l threads -x -d 'threads of the interpreter (its default)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -s h -l help -d 'show this help message and exit'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l model -r -F -d 'an exported model file (the one in the package)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -F
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -s o -l output -r -F -d 'where to, compressed if its name ends in .gz (standard output)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l format -x -a 'text tsv jsonl' -d 'what a line says (text)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l batch-size -x -d 'lines answered at once (256); 1 answers every line as it comes'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l column -x -d 'the files are CSV, and this column has the expressions; a NAME stands in the first line, a number counts from 1'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l min-confidence -x -d 'print ? instead of an answer less sure than this, from 0 to 1 (0.0)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l threads -x -d 'threads of the interpreter (its default)'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l check -d 'compare with the true results, on stderr'
complete -c edgecalc -n '__fish_seen_subcommand_from predict' -l quiet -d 'no progress, no reports of refused lines'
complete -c edgecalc -n '__fish_seen_subcommand_from info' -s h -l help -d 'show this help message and exit'
complete -c edgecalc -n '__fish_seen_subcommand_from info' -l model -r -F -d 'an exported model file (the one in the package)'
complete -c edgecalc -n '__fish_seen_subcommand_from info' -l json -d 'spec and card as one JSON object'
