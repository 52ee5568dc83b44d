"""The recipes that come with glotmill, one folder each. They are data; `glotmill.recipes` reads them.

    recipe.yaml           languages, seeds, steps, filters and output
    draft.j2              the template of a step; its blocks `system` and `user` are chat messages
    answer.spa.j2         replaces answer.j2 for Spanish, and reads the same variables
    seeds.jsonl           the seed rows, unless the user brings others with --seeds
    demonstrations.jsonl  few-shot examples of a step
    README.md             what the steps do, the columns of seeds and dataset, the papers behind the recipe

`instruction` is the shortest and the one to begin with. `reasoning` verifies its answers and takes several
samples of each; `dialogue` pairs rows and splits conversations into two chats. A new folder with a
recipe.yaml is found without being listed anywhere, and tests/test_recipes.py runs it. `glotmill new FOLDER`
starts a recipe outside of glotmill.
"""
