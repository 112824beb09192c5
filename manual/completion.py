"""What bash, zsh and fish complete: commands, options, their values, names of files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from manual.options import Option, commands, flags_of, options_of

_HEAD = "# Completions of edgecalc, written by make manual from its parser.\n"

_BASH = """\
_edgecalc() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command= word
    # In --model=FILE, the = is a word of its own.
    if [[ $current == "=" ]]; then
        current=
    elif [[ $previous == "=" ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD - 1}}"; do
        case $word in {commands}) command=$word; break ;; esac
    done
    COMPREPLY=()
    case "$command $previous" in
{values}
    esac
    if [[ $current == -* ]]; then
        case $command in
{flags}
        esac
        return
    fi
    case $command in
{arguments}
    esac
}}

_edgecalc_files() {{
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}}

_edgecalc_words() {{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}}

complete -F _edgecalc edgecalc
"""


def bash() -> str:
    """A file for `share/bash-completion/completions`."""
    values, flags, arguments = [], [], []
    for name in ("", *commands()):
        for option in flags_of(name):
            if option.value:
                spelled = "|".join(f'"{name} {flag}"' for flag in option.flags)
                values.append(f"        {spelled}) {_bash_value(option)}return ;;")
        words = " ".join(flag for option in flags_of(name) for flag in option.flags)
        flags.append(f'            "{name}") _edgecalc_words "{words}" ;;')
        if any(option.is_file for option in options_of(name) if not option.flags):
            arguments.append(f'        "{name}") _edgecalc_files ;;')
    arguments.append(f'        "") _edgecalc_words "{" ".join(commands())}" ;;')
    return _HEAD + _BASH.format(
        commands="|".join(commands()),
        values="\n".join(values),
        flags="\n".join(flags),
        arguments="\n".join(arguments),
    )


def _bash_value(option: Option) -> str:
    if option.is_file:
        return "_edgecalc_files; "
    return f'_edgecalc_words "{" ".join(option.choices)}"; ' if option.choices else ""


def zsh() -> str:
    """A file for `share/zsh/site-functions`."""
    lines = ["#compdef edgecalc", _HEAD, "local context state state_descr line"]
    described = " ".join(f"{name}\\:{shlex.quote(text)}" for name, text in commands().items())
    lines += ["typeset -A opt_args", "", "_arguments -C \\"]
    lines += [f"  {spec} \\" for spec in _zsh_specs("")]
    lines += [
        f"  {shlex.quote(f'1:command:(({described}))')} \\",
        "  '*::argument:->rest' && return",
    ]
    lines += ["", "case $line[1] in"]
    for name in commands():
        lines += [f"  {name})", "    _arguments \\", *(f"      {s} \\" for s in _zsh_specs(name))]
        lines += ["      && return", "    ;;"]
    return "\n".join([*lines, "esac", ""])


def _zsh_specs(name: str) -> Iterator[str]:
    for option in options_of(name):
        values = f"({' '.join(option.choices)})" if option.choices else ""
        action = f":{option.value}:{'_files' if option.is_file else values}" * bool(option.value)
        for flag in option.flags:
            equal = "=" if option.value and flag.startswith("--") else ""
            text = "".join(f"\\{c}" if c in "[]:\\" else c for c in option.help)
            yield shlex.quote(f"{flag}{equal}[{text}]{action}")
        if not option.flags and option.is_file:
            yield shlex.quote(f"*{action}")


def fish() -> str:
    """A file for `share/fish/vendor_completions.d`."""
    lines = [_HEAD, "complete -c edgecalc -f"]
    names = " ".join(commands())
    for name, summary in commands().items():
        lines.append(
            f"complete -c edgecalc -n 'not __fish_seen_subcommand_from {names}' "
            f"-a {name} -d {shlex.quote(summary)}"
        )
    for name in ("", *commands()):
        seen = f"__fish_seen_subcommand_from {name or names}"
        where = f"complete -c edgecalc -n '{seen if name else f'not {seen}'}'"
        for option in options_of(name):
            words = [f"-{'l' if f[1] == '-' else 's'} {f.lstrip('-')}" for f in option.flags]
            if option.is_file:
                words.append("-r -F" if option.flags else "-F")
            elif option.value and option.flags:
                words.append("-x")
            if option.choices:
                words.append(f"-a {shlex.quote(' '.join(option.choices))}")
            if option.flags:
                words.append(f"-d {_fish_quoted(option.help)}")
            if option.flags or option.is_file:
                lines.append(" ".join([where, *words]))
    return "\n".join(lines) + "\n"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
