"""``completion``: a script that teaches bash or zsh the commands and settings."""

from __future__ import annotations

from metamuse import config
from metamuse.cli import COMMANDS, Invocation

_FLAGS = ("--json", "--quiet", "--dry-run", "--help", "--cfg", "--multirun")

_SCRIPT = """\
# bash: eval "$(metamuse completion)" in ~/.bashrc; zsh: the same in ~/.zshrc
if [ -n "$ZSH_VERSION" ]; then
  whence compdef >/dev/null || {{ autoload -U compinit && compinit; }}
  autoload -U bashcompinit && bashcompinit
fi
_metamuse() {{
  local line="${{COMP_LINE:0:$COMP_POINT}}" i before
  local word="${{line##* }}"
  COMPREPLY=($(compgen -W "{words}" -- "$word"))
  [[ "${{COMPREPLY[0]}}" != *= ]] || compopt -o nospace 2>/dev/null
  # Where = separates words, what stands before it is on the line already.
  if [[ "$COMP_WORDBREAKS" == *=* ]]; then
    before="${{word%"${{word##*=}}"}}"
    for i in "${{!COMPREPLY[@]}}"; do COMPREPLY[i]="${{COMPREPLY[i]#"$before"}}"; done
  fi
}}
complete -o default -F _metamuse metamuse
"""


def run(invocation: Invocation) -> int:
    """Print the script."""
    print(_SCRIPT.format(words=" ".join([*COMMANDS, *_FLAGS, *_settings()])), end="")
    return 0


def _settings() -> list[str]:
    """``key=`` of every setting, and ``group=name`` of every file of settings."""
    groups = {
        path.name: sorted(p.stem for p in path.glob("*.yaml"))
        for path in config.folder().iterdir()
        if path.is_dir()
    }
    chosen = [f"{group}={name}" for group in sorted(groups) for name in groups[group]]
    return [*chosen, *(f"{key}=" for key in config.keys(config.compose([])) if key not in groups)]
