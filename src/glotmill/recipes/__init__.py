"""Recipes: a folder with recipe.yaml and templates goes in, a frozen Recipe and its seed rows come out.

In the order to read the files:

    recipe.py      Recipe: languages, seeds, steps and output, as frozen values
    steps.py       its steps: Generate, Render, Transform, Filter
    read.py        finds a recipe by name or folder, applies --set, reads YAML into a Recipe
    template.py    finds a template and its language variants, refuses text that no message would contain,
                  and renders a row into chat messages
    sandbox.py     the Jinja environment in which templates run: here those that are cheap by their form
                  (template_cost.py), the others in a process with limits (render_process.py)
    seeds.py       seed rows from a file, the Hub, stdin or the recipe, numbered for each language

Three rules hold here. A wrong value is refused where it is read, with the file, the place, what is there and
the remedy; unknown keys are wrong values. A recipe is data: nothing in its folder is executed but templates,
and these run in the sandbox and see only files of their own folder. `Recipe.digest` and `Template.digest`
cover everything that affects rows and nothing else, so that a run knows which of its shards are still valid.

Whether the steps of a recipe fit together is checked by `glotmill.runner.check`, with the runner's own steps.
"""
