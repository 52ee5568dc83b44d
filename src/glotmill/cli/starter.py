"""Writes the first version of somebody's recipe."""

import shlex
from pathlib import Path

from glotmill.errors import UsageError

RECIPE = """\
# A recipe: what is made, step by step. `glotmill check` finds what is wrong with it before a model is loaded;
# keys that it does not know are refused.
about: Requests about everyday subjects, and answers to them, written directly in each language.

# Made where the command names none (-l). Any language of `glotmill list languages` will do.
languages: [eng_Latn, spa_Latn]

# One row, one thing to make. Every template can read the columns: here `topic` and `reader`.
# Also .csv, .parquet, .txt, or a dataset of the Hugging Face Hub: {dataset: owner/name, split: train}
# A row with a column `language` is used for that language only.
seeds: seeds.jsonl

# From top to bottom, each on the rows that the one before kept.
steps:
  # answer.j2 is put to the model; the reply becomes the column `answer`, the user's message `answer_prompt`.
  - generate: answer
    temperature: 0.8 # sampling parameters have vLLM's names; those left out are the model's own
    max_tokens: 800
    tries: 2 # a reply that fails `expect` is asked for again; the template may read why in {{ feedback }}
    expect:
      - {filter: length, min_chars: 20, max_chars: 8000}
      - {filter: mixed_script} # no letters of another alphabet inside of words
      - {filter: language}
  # A filter drops rows and says why. All of them, with their options: `glotmill list filters`
  - filter: repetition
    of: answer

# At the end, over all rows of a language.
finish:
  - filter: duplicates
    of: answer

# What a row of the dataset is made of: messages out of columns, and columns beside them.
output:
  messages: {user: answer_prompt, assistant: answer}
  columns: [topic, reader]
"""

TEMPLATE = """\
{#- What the model is told, unless a language has a file of its own. The blocks are the roles of a chat. -#}
{% block system -%}
You are a helpful assistant. You write in {{ language.name }} ({{ language.endonym }}), as its native \
speakers do and never in the style of a translation. You answer in a few plain sentences, \
without a word about yourself.
{%- endblock %}
{% block user -%}
Explain this to {{ reader }}, please: {{ topic }}
{%- endblock %}
"""

VARIANT = """\
{#- Unreviewed: not yet read by a native speaker. For Spanish, instead of answer.j2; same variables. -#}
{% block system -%}
Eres un asistente que ayuda. Escribes en español ({{ language.name }}, {{ language.endonym }}), como \
lo haría un hablante nativo y nunca como una traducción. Respondes en pocas frases sencillas, sin hablar \
de ti.
{%- endblock %}
{% block user -%}
¿Me explicas este asunto con palabras sencillas y algún ejemplo de la vida diaria, por favor? Se trata de \
lo siguiente: {{ topic }}. Quien te escucha y quiere entenderlo bien es esta persona: {{ reader }}.
{%- endblock %}
"""

SEEDS = """\
{"topic": "how bread rises", "reader": "a child of ten"}
{"topic": "why the moon changes its shape", "reader": "a curious neighbour"}
{"topic": "how to repair a bicycle tyre", "reader": "somebody who never did it"}
{"topic": "what interest on a loan is", "reader": "a young couple"}
{"topic": "how vaccines protect people", "reader": "a grandmother"}
"""

README = """\
# {name}

A recipe for glotmill: it makes requests and answers to them in many languages.

| file | what it is |
|---|---|
| `recipe.yaml` | the languages, the seeds, the steps, and what a row of the dataset is made of |
| `answer.j2` | what the model is told |
| `answer.spa_Latn.j2` | the same in Spanish; not reviewed yet |
| `seeds.jsonl` | the rows that it begins with; five are enough to try, not to train on |

```
glotmill check {place}              # is anything wrong?
glotmill preview {place}            # the messages, without a model
glotmill preview {place} --model MODEL --rows 2
glotmill run {place} -n 5 -l eng --engine echo --model echo # every step, without a model
glotmill run {place} -n 1000 -l spa,fra,swh --model MODEL
```
"""


def write(folder: Path) -> list[Path]:
    """Write a recipe that passes its check, and return its files. Raises UsageError if something is there."""
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder}: not empty; name a new folder")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    place = str(folder) if folder.is_absolute() else f"./{folder}"
    readme = README.format(name=folder.resolve().name, place=shlex.quote(place))
    texts = {
        "recipe.yaml": RECIPE,
        "answer.j2": TEMPLATE,
        "answer.spa_Latn.j2": VARIANT,
        "seeds.jsonl": SEEDS,
        "README.md": readme,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
