#!/usr/bin/env bash
# Checks that no part names what it must not know: the runtime and the backends no model family, the runtime, the
# architectures and the frontends no backend, and nobody includes across the borders. docs/architecture.md says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

status=0

# refuse WHY PATTERN PATHSPEC...: no file there may match.
refuse() {
  local why=$1 pattern=$2 found
  shift 2
  found=$(git grep --untracked --line-number --ignore-case --extended-regexp -e "$pattern" -- "$@" ':(exclude)*.md' || true)
  [ -z "$found" ] && return
  printf 'layering: %s:\n%s\n' "$why" "$found"
  status=1
}

# Vocabularies are called by family names in the files themselves ("llama-bpe"): names of data, not of models. So are the
# files that make-model and the plugin check write: one table says which keys and tensors go with which name. And so are
# the syntaxes of answers: a folder has a description and an example for each.
refuse 'the runtime and the backends name no model family' 'qwen|llama|gemma' runtime plugins/backends \
  ':(exclude)runtime/text/tokenizer/pre_tokenizer.*' ':(exclude)runtime/text/tokenizer/vocabulary.*' \
  ':(exclude)runtime/text/answer/families' ':(exclude)runtime/command/make_model/shape.cpp' \
  ':(exclude)runtime/plugin_check'
# Which instructions this processor has is asked for by their names.
refuse 'the runtime, the architectures and the frontends name no backend' 'cuda|avx' \
  runtime plugins/architectures plugins/frontends ':(exclude)runtime/plugin/cpu_level.cpp'
# A plugin of another name must do as well: what the core needs of one is in its manifest or its table. "reference" is
# also a word, so names without an underscore count in quotes only.
plugins=$(git grep --untracked -hoE 'vernal_add_plugin\(NAME [a-z0-9_]+' -- plugins/backends plugins/frontends | awk '{print $2}')
compound=$(grep _ <<<"$plugins" | paste -sd '|')
quoted=$(paste -sd '|' <<<"$plugins")
refuse 'the runtime names no plugin' "(^|[^a-z0-9_])($compound)([^a-z0-9_]|\$)|\"($quoted)\"" runtime
refuse 'a plugin includes the SDK and itself only' \
  '^ *# *include *"(command|config|engine|loading|model|module|observe|plugin|serving|text)/' plugins sdk/examples
refuse 'what backends share names none of them' 'cuda|avx' plugins/backends/shared
refuse 'what backends share includes the SDK and itself only' '^ *# *include *"([^sv]|s[^h]|v[^e])' plugins/backends/shared
refuse 'the SDK includes nothing but itself' '^ *# *include *"([^v]|v[^e])' sdk/include
refuse 'the SDK includes nothing of the core' \
  '^ *# *include *"(runtime|command|config|engine|loading|model|module|observe|plugin|plugin_check|serving|text)/' sdk
refuse 'the runtime includes no plugin' '^ *# *include *"(plugins/|backends/|architectures/|frontends/)' runtime

# A folder of code has at most twenty rooms; a source with its header counts as one. More is hard to find one's way in.
full=$(git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cpp' '*.hpp' '*.cu' '*.cuh' | sed 's/\.[^.]*$//' |
  sort -u | sed 's#/[^/]*$##' | sort | uniq -c | awk '$1 > 20 {print "  " $2 ": " $1}')
if [ -n "$full" ]; then
  printf 'layering: more than 20 rooms in a folder:\n%s\n' "$full"
  status=1
fi
[ "$status" -ne 0 ] || echo "layering: no part names what it must not know, no folder is too full"
exit "$status"
